"""Compares a container with the policy, and tells everything that is not within it."""

import re
from collections.abc import Iterator

from etl_docker_guard._body import Container, HostConfig
from etl_docker_guard._errors import Refused
from etl_docker_guard._policy import ImageRule, Limits, Policy, in_bytes

_POLICY = "config/docker_guard.yaml"


def judge(container: Container, name: str, policy: Policy, *, project: str, installation: str) -> None:
    """Refuse a container that is not within the rule of its image, with everything that is wrong.

    Args:
        container: what Airflow asks for.
        name: how the container is to be called.
        policy: what may be asked for.
        project: the Compose project that all names begin with.
        installation: the id that tells our containers from those of another installation on the same Engine.
    """
    rule = policy.images.get(container.image)
    if rule is None:
        raise Refused(f"Image: {container.image[:200]!r} is none of {', '.join(policy.images)}, which {_POLICY} allows")
    problems = [
        *_identity(container, name, project, installation),
        *_place(container.host_config, rule),
        *_limits(container.host_config, policy.limits),
    ]
    if problems:
        raise Refused("; ".join(problems))


def _identity(container: Container, name: str, project: str, installation: str) -> Iterator[str]:
    labels = container.labels
    if labels["etl.installation"] != installation:
        yield "Labels.etl.installation: this is the id of another installation"
    stem = f"{project}-{labels['etl.pipeline']}-{labels['etl.stage']}"
    if not re.fullmatch(re.escape(stem) + "-[0-9a-f]{16}", name):
        yield f"name: must be '{stem}-' and 16 hex digits, not {name[:200]!r}"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", labels["etl.pipeline"]):
        yield f"Labels.etl.pipeline: {labels['etl.pipeline']!r} is no pipeline's name"
    if labels["etl.stage"] not in {"extract", "transform", "load", "visualize"}:
        yield f"Labels.etl.stage: {labels['etl.stage']!r} is no stage"


def _place(host: HostConfig, rule: ImageRule) -> Iterator[str]:
    if host.network_mode not in rule.networks:
        yield f"HostConfig.NetworkMode: {host.network_mode[:80]!r} is none of {', '.join(rule.networks)}"
    targets = [mount.target for mount in host.mounts]
    for mount in host.mounts:
        where = f"HostConfig.Mounts: {mount.target}"
        allowed = rule.mount_at(mount.target)
        if targets.count(mount.target) > 1:
            yield f"{where}: is there twice"
        elif allowed is None:
            yield f"{where}: nothing may be mounted there; this image may have {', '.join(rule.mounts) or 'no mounts'}"
        elif (mount.source, mount.volume_options.subpath) != (allowed.volume, allowed.folder):
            yield (
                f"{where}: must be '{allowed.folder}' of {allowed.volume}, "
                f"not '{mount.volume_options.subpath}' of {mount.source[:80]!r}"
            )
        elif allowed.access == "read" and not mount.read_only:
            yield f"{where}: must be read-only"


def _limits(host: HostConfig, limits: Limits) -> Iterator[str]:
    if host.memory_swap != host.memory:
        yield f"HostConfig.MemorySwap: must be the same as Memory, {host.memory}, so that nothing is swapped"
    options = host.log_config.config
    for field, asked, most in (
        ("Memory", host.memory, limits.memory),
        ("NanoCpus", host.nano_cpus, round(limits.cpus * 1e9)),
        ("PidsLimit", host.pids_limit, limits.processes),
        ("Tmpfs", in_bytes(host.tmpfs.tmp.rpartition("=")[2]), limits.tmp),
        ("LogConfig.max-size", in_bytes(options.max_size), limits.log_size),
        ("LogConfig.max-file", int(options.max_file), limits.log_files),
    ):
        if asked > most:
            yield f"HostConfig.{field}: {asked} is more than the {most} of 'limits' in {_POLICY}"
