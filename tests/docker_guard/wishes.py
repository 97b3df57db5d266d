"""Asks for a stage's container through docker-py, as StageOperator does."""

import json
import secrets
from typing import Any

import docker
from docker.types import LogConfig, Mount
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

# Of this run alone: another on the same Engine, as of a second clone, is another installation.
INSTALLATION = f"etl-guard-test-{secrets.token_hex(4)}"
# What each stage asks for, as StageOperator does.
REACH = {
    "extract": (
        "data",
        [("runs", "/runs", None), ("secrets", "/run/secrets/connections/source", "connections/source")],
    ),
    "transform": (None, [("runs", "/runs/flights", "flights")]),
    "load": (
        "data",
        [
            ("runs", "/runs/flights", "flights"),
            ("exports", "/exports", None),
            ("secrets", "/run/secrets/warehouse", "stages/load"),
        ],
    ),
    "visualize": (
        "data",
        [
            ("runs", "/runs/flights", "flights"),
            ("reports", "/reports", None),
            ("secrets", "/run/secrets/warehouse", "stages/visualize"),
        ],
    ),
}
WRITES = {("extract", "runs"), ("transform", "runs"), ("load", "exports"), ("visualize", "reports")}


class Recorder(BaseAdapter):
    """Stands in for the network below docker-py, and keeps what it would have sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, **_kwargs: Any) -> Response:  # type: ignore[override]  # noqa: ANN401
        """Keep the request, and answer that a container was created."""
        self.sent.append(request)
        response = Response()
        response.status_code = 201
        response._content = json.dumps({"Id": "0" * 64, "Warnings": []}).encode()
        response.request = request
        return response

    def close(self) -> None:
        """Close nothing."""


class Wishes:
    """Asks for a stage's container through docker-py, as StageOperator does."""

    def __init__(self, project: str = "etl", images: str = "etl-platform/", tag: str = "local") -> None:
        self.project = project
        self.images = images
        self.tag = tag

    def name(self, stage: str = "extract") -> str:
        """Give the name of a new container."""
        return f"{self.project}-flights-{stage}-{secrets.token_hex(8)}"

    def arguments(self, stage: str = "extract", task: object = None, **host: Any) -> dict[str, Any]:  # noqa: ANN401
        """Give the arguments of docker-py's `create_container`."""
        network, mounts = REACH[stage]
        volumes = []
        for volume, target, subpath in mounts:
            mount = Mount(target, f"{self.project}_{volume}", type="volume", read_only=(stage, volume) not in WRITES)
            if subpath:
                mount["VolumeOptions"] = {"Subpath": subpath}
            volumes.append(mount)
        hardened = {
            "network_mode": f"{self.project}_{network}" if network else "none",
            "mounts": volumes,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "read_only": True,
            "init": True,
            "pids_limit": 64,
            "nano_cpus": 500_000_000,
            "mem_limit": "128m",
            "memswap_limit": "128m",
            "tmpfs": {"/tmp": "rw,noexec,nosuid,size=16m"},  # noqa: S108 - in the container
            "log_config": LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
        }
        with docker.APIClient("tcp://127.0.0.1:1", version="1.45") as client:
            return {
                "image": f"{self.images}{stage}:{self.tag}",
                "environment": {"ETL_TASK": json.dumps(task or {}), "ETL_NONCE": "0123456789abcdef"},
                "labels": {
                    "etl.installation": INSTALLATION,
                    "etl.pipeline": "flights",
                    "etl.run_id": "manual__2026-03-01T06:00:00+00:00",
                    "etl.stage": stage,
                    "etl.try_number": "1",
                    "etl.nonce": "0123456789abcdef",
                    "etl.task_digest": "ab" * 32,
                },
                "stop_timeout": 3,
                "host_config": client.create_host_config(**(hardened | host)),
            }

    def body(self, stage: str = "extract") -> dict[str, Any]:
        """Give the body that docker-py really sends for it."""
        recorder = Recorder()
        with docker.APIClient("tcp://127.0.0.1:1", version="1.45") as client:
            client.mount("http://", recorder)
            client.create_container(name=self.name(stage), **self.arguments(stage))
        body: dict[str, Any] = json.loads(recorder.sent[-1].body or "")
        return body
