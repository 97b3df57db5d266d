"""Says what each stage's container may reach: one row a stage, the same that config/docker_guard.yaml allows."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from docker.types import LogConfig, Mount

from etl_contract import FilesSource, Source, SqlSource, StageName, exports_of
from etl_platform._pipeline import Pipeline, StageLimits
from etl_platform._settings import Settings

TMP_SIZE = "512m"
HARDENED: Mapping[str, Any] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "init": True,
    "pids_limit": 256,
    "tmpfs": {"/tmp": f"rw,noexec,nosuid,size={TMP_SIZE}"},  # noqa: S108 - the container's own
    "log_config": LogConfig(type="json-file", config={"max-size": "20m", "max-file": "2"}),
}


class Reach(NamedTuple):
    """The network, volumes and secrets of a stage.

    Of the volume `runs` a stage sees the pipeline's own folder. Only extract sees all of it, to make that folder: a
    part of a volume is mounted only if it is there.
    """

    network: Callable[[Pipeline], str | None]
    secrets: Callable[[Pipeline], dict[str, str]]
    makes_the_folder: bool = False
    runs_read_only: bool = False
    reports: bool = False
    inbox: Callable[[Pipeline], bool] = lambda _: False
    exports: Callable[[Pipeline], bool] = lambda _: False


def _way_out(pipeline: Pipeline) -> str:
    """Give extract a way out only where a source is elsewhere."""
    return "egress" if any(source.remote for source in pipeline.extract.values()) else "data"


def _export_way_out(pipeline: Pipeline) -> str:
    """Give load a way out only where it exports to elsewhere."""
    return "egress" if any(target.remote for _, target in exports_of(pipeline.export)) else "data"


def _has_files(pipeline: Pipeline) -> bool:
    """Tell of files in the inbox, and of connections, since one may be a SQLite file there."""

    def looks_there(source: Source) -> bool:
        return source.remote if isinstance(source, SqlSource) else isinstance(source, FilesSource) and not source.remote

    return any(map(looks_there, pipeline.extract.values()))


def _connections(pipeline: Pipeline) -> dict[str, str]:
    names = sorted({name for source in pipeline.extract.values() for name in source.connections})
    return {f"connections/{name}": f"/run/secrets/connections/{name}" for name in names}


def _load_secrets(pipeline: Pipeline) -> dict[str, str]:
    """Give load the warehouse's address, and the keys of the stores that it exports to."""
    names = sorted({target.connection for _, target in exports_of(pipeline.export) if target.connection})
    stores = {f"connections/{name}": f"/run/secrets/connections/{name}" for name in names}
    return {"stages/load": "/run/secrets/warehouse"} | stores


def _exports_to_volume(pipeline: Pipeline) -> bool:
    return any(not target.remote for _, target in exports_of(pipeline.export))


REACH = {
    StageName.extract: Reach(_way_out, secrets=_connections, makes_the_folder=True, inbox=_has_files),
    StageName.transform: Reach(lambda _: None, secrets=lambda _: {}),
    StageName.load: Reach(_export_way_out, secrets=_load_secrets, runs_read_only=True, exports=_exports_to_volume),
    StageName.visualize: Reach(
        lambda _: "data",
        secrets=lambda _: {"stages/visualize": "/run/secrets/warehouse"},
        runs_read_only=True,
        reports=True,
    ),
}


def image(stage: StageName, settings: Settings) -> str:
    """Name a stage's image."""
    return f"etl-platform/{stage.value}:{settings.tag}"


def host_config(stage: StageName, pipeline: Pipeline, settings: Settings) -> dict[str, Any]:
    """Give the arguments of docker's `create_host_config`: hardened, limited, and with the stage's reach."""
    reach, limits = REACH[stage], pipeline.limits.of(stage)
    network = reach.network(pipeline)
    return {
        "network_mode": f"{settings.project}_{network}" if network else "none",
        "mounts": _mounts(reach, pipeline, settings),
        **HARDENED,
        **_limits(limits),
    }


def _limits(limits: StageLimits) -> dict[str, int]:
    memory = limits.memory_bytes
    return {"mem_limit": memory, "memswap_limit": memory, "nano_cpus": int(limits.cpus * 1_000_000_000)}


def _mounts(reach: Reach, pipeline: Pipeline, settings: Settings) -> list[Mount]:
    if reach.makes_the_folder:
        mounts = [_volume(settings, "runs", "/runs", read_only=False)]
    else:
        folder = pipeline.name
        mounts = [_volume(settings, "runs", f"/runs/{folder}", read_only=reach.runs_read_only, subpath=folder)]
    if reach.reports:
        mounts.append(_volume(settings, "reports", "/reports", read_only=False))
    if reach.inbox(pipeline):
        mounts.append(_volume(settings, "inbox", "/inbox", read_only=True))
    if reach.exports(pipeline):
        mounts.append(_volume(settings, "exports", "/exports", read_only=False))
    for subpath, target in reach.secrets(pipeline).items():
        mounts.append(_volume(settings, "secrets", target, read_only=True, subpath=subpath))
    return mounts


def _volume(settings: Settings, name: str, target: str, *, read_only: bool, subpath: str | None = None) -> Mount:
    mount = Mount(target=target, source=f"{settings.project}_{name}", type="volume", read_only=read_only)
    if subpath is not None:
        # docker-py knows no sub-path yet; the Engine has since API 1.45
        mount["VolumeOptions"] = {"Subpath": subpath}
    return mount
