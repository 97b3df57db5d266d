"""Holds the stages of a run still, one after the other, so that a test can look around in them."""

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from tests._stack import Stack, until


class Held(NamedTuple):
    """A stage's container, at its very beginning, that goes on when the test has seen enough."""

    run_id: str
    stage: str
    container: str


def held(stack: Stack, dag_id: str, day: str | None = None, last: str = "visualize") -> Iterator[Held]:
    """Start a run; give each stage's container as soon as it is started, paused."""
    form = '{{.ID}} {{index .Actor.Attributes "etl.stage"}}'
    filters = ["--filter", "type=container", "--filter", "event=start", "--filter", f"label=etl.pipeline={dag_id}"]
    command = ["docker", "events", *filters, "--filter", "label=etl.stage", "--format", form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as events:
        try:
            run_id = stack.trigger(dag_id, day)
            assert events.stdout is not None
            for line in events.stdout:
                container, stage = line.split()
                if not _is_of(stack, container, run_id):
                    continue
                _pause(stack, container)
                try:
                    yield Held(run_id, stage, container)
                finally:
                    stack.docker("unpause", container)
                if stage == last:
                    return
        finally:
            events.kill()


def _pause(stack: Stack, container: str) -> None:
    """Freeze a container; on a kernel with cgroups of version 1 that fails while it starts processes."""
    until(lambda: stack.docker("pause", container, check=False) != "", 20, every=0.05)


def _is_of(stack: Stack, container: str, run_id: str) -> bool:
    found = stack.docker("inspect", "--format", '{{index .Config.Labels "etl.run_id"}}', container, check=False)
    return found.strip() == run_id
