"""Measures what orchestration costs: a day of flights from trigger to success, beside its four containers by hand.

a stack of the bench's own ──► a run, whose containers are looked at ──► the same by `docker run`, one after the other
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from etl_contract import Conversation, Outcome
from tests._engine import OURS, docker
from tests._stack import ROOT, Stack
from tests.bench.arena import Arena, Measured
from tests.bench.race import LIMIT, Goal, Race
from tests.bench.race import OURS as WE

PIPELINE, STAGES = "flights", 4
PIPELINES = ROOT / ".cache" / "bench" / "pipelines"
ENVIRONMENT = {
    "COMPOSE_PROJECT_NAME": OURS,
    "ETL_TAG": os.environ.get("ETL_TAG") or "local",
    "AIRFLOW_PORT": os.environ.get("AIRFLOW_PORT") or "18081",
    "POSTGRES_PORT": os.environ.get("POSTGRES_PORT") or "15434",
    "ETL_SUBNET": os.environ.get("ETL_SUBNET") or "10.213.18",
    "GUARD_USER": "0:0",
}


def day(arena: Arena) -> Race:
    """Run the flights pipeline about its last complete day."""
    PIPELINES.mkdir(parents=True, exist_ok=True)
    for file in (ROOT / "config" / "pipelines").glob(f"{PIPELINE}.*"):
        shutil.copy(file, PIPELINES)
    stack = Stack(PIPELINES, ENVIRONMENT)
    arena.job.callback(stack.stop)
    stack.start()
    stack.wait_for_dag(PIPELINE)
    while stack.runs_now(PIPELINE):  # the schedule's own first run
        time.sleep(1)
    return Race(
        "a day of flights, from trigger to success",
        Goal(over=4),
        (ByHand(_looked_at(stack)), Orchestrated(stack)),
    )


@dataclass(frozen=True)
class Orchestrated:
    """Triggers a run by the REST API, and waits for its success."""

    stack: Stack
    name: str = WE

    def run(self, place: Arena) -> Measured:
        """Take the time from the call until the run's state is told."""
        del place
        started = time.monotonic()
        run_id = self.stack.trigger(PIPELINE)
        while (state := self.stack.run_state(PIPELINE, run_id)) not in {"success", "failed"}:
            time.sleep(0.25)  # to ask costs the platform something, too
        seconds = time.monotonic() - started
        if state != "success":
            raise RuntimeError("\n".join(self.stack.messages(PIPELINE, run_id)))
        return Measured(seconds)


@dataclass(frozen=True)
class ByHand:
    """Starts the containers of a run again by the command line, each when the one before has ended."""

    containers: tuple[Mapping[str, Any], ...]
    name: str = f"{LIMIT}four times docker run"

    def run(self, place: Arena) -> Measured:
        """Take the time of all."""
        del place
        started = time.monotonic()
        for container in self.containers:
            said = docker("run", "--rm", *_options(container), container["Config"]["Image"], timeout=300)
            conversation = Conversation(_environment(container)["ETL_NONCE"])
            for line in said.splitlines():
                conversation.hear(line)
            if conversation.result is None or conversation.result.outcome is not Outcome.done:
                raise RuntimeError(said[-3000:])
        return Measured(time.monotonic() - started)


def _looked_at(stack: Stack) -> tuple[Mapping[str, Any], ...]:
    """Run the pipeline once; give its containers as the Engine describes them, in their order."""
    seen: dict[str, Mapping[str, Any]] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for container in stack.stage_containers():
                with suppress(RuntimeError):  # it has ended meanwhile
                    if container["id"] not in seen:
                        (seen[container["id"]],) = json.loads(docker("inspect", container["id"]))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        stack.run(PIPELINE)
    finally:
        over.set()
        thread.join()
    if len(seen) != STAGES:
        raise RuntimeError(f"a run had {len(seen)} containers, not {STAGES}")
    return tuple(sorted(seen.values(), key=lambda container: str(container["Created"])))


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    """Give what the operator told a container."""
    variables = (variable.partition("=") for variable in container["Config"]["Env"])
    return {name: value for name, _, value in variables if name.startswith("ETL_")}


def _options(container: Mapping[str, Any]) -> list[str]:
    """Write how the operator made a container as options of `docker run`."""
    host = container["HostConfig"]
    options = ["--init", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
    options += [f"--network={host['NetworkMode']}", f"--memory={host['Memory']}", f"--memory-swap={host['Memory']}"]
    options += [f"--cpus={host['NanoCpus'] / 1e9}", f"--pids-limit={host['PidsLimit']}"]
    options += [f"--tmpfs={place}:{how}" for place, how in host["Tmpfs"].items()]
    options += [f"--env={name}={value}" for name, value in _environment(container).items()]
    for mount in host["Mounts"]:
        words = ["type=volume", f"src={mount['Source']}", f"dst={mount['Target']}"]
        words += ["readonly"] if mount.get("ReadOnly") else []
        subpath = (mount.get("VolumeOptions") or {}).get("Subpath")
        options.append("--mount=" + ",".join([*words, f"volume-subpath={subpath}"] if subpath else words))
    return options
