"""The rules about running containers: CIS Docker 5, and OWASP's."""

import re

from tests.rules.containers import SETTINGS, Container
from tests.rules.rules import ROOT, Rule, compose, rule, secret_in

RULES: list[Rule] = []
_SYSTEM = re.compile(r"^/(boot|dev|etc|lib|lib64|proc|root|run|sys|usr|var)?(/|$)")


@rule("CIS 4.1", "OWASP 2", title="it does not run as root", among=RULES)
def _user(it: Container) -> str | None:
    user = it.user.partition(":")[0]
    # Where Compose names no user, the image does: tests/rules/images.py
    return f"it runs as {it.user}" if user in {"0", "root"} or (not it.user and not it.built_here) else None


@rule("CIS 5.4", "OWASP 3", title="it has no capabilities", among=RULES)
def _capabilities(it: Container) -> str | None:
    dropped, added = it.capabilities
    if dropped != ("ALL",):
        return f"it drops {dropped} only"
    return f"it adds {', '.join(added)}" if added else None


@rule("CIS 5.5", title="it is not privileged", among=RULES)
def _privileged(it: Container) -> str | None:
    return "it is privileged" if it.privileged else None


@rule("CIS 5.6", title="of the host it sees the project's own files, and changes none", among=RULES)
def _directories(it: Container) -> str | None:
    for bind in it.binds:
        if bind.source.endswith(".sock"):
            continue  # CIS 5.32
        if _SYSTEM.match(bind.source) or bind.source.startswith("..") or not bind.read_only:
            return f"it mounts {bind.source} {'to read' if bind.read_only else 'to write'}"
    return None


@rule("CIS 5.8", title="it takes no privileged port of the host", among=RULES)
def _privileged_ports(it: Container) -> str | None:
    return next((f"it publishes {port['published']}" for port in it.ports if int(port["published"]) < 1024), None)


@rule("CIS 5.9", title="it opens no port but those of .env.example", among=RULES)
def _needed_ports(it: Container) -> str | None:
    needed = set(re.findall(r"^[A-Z_]+_PORT=(\d+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    return next(
        (f"it publishes {port['published']}" for port in it.ports if str(port["published"]) not in needed), None
    )


@rule("CIS 5.10", title="it has a network stack of its own", among=RULES)
def _host_network(it: Container) -> str | None:
    shared = [name for name in it.networks if name == "host" or name.startswith(("container:", "service:"))]
    return f"it shares {shared[0]}" if shared else None


@rule("CIS 5.11", "OWASP 7", title="its memory is limited", among=RULES)
def _memory(it: Container) -> str | None:
    return None if it.memory > 0 else "it may take all memory"


@rule("CIS 5.12", "OWASP 7", title="its processor time is limited", among=RULES)
def _processors(it: Container) -> str | None:
    return None if it.cpus > 0 else "it may take all cores"


@rule("CIS 5.13", "OWASP 8", title="its root file system is read-only", among=RULES)
def _root(it: Container) -> str | None:
    return None if it.read_only else "it may write everywhere"


@rule("CIS 5.14", title="its ports are bound to one interface of the host", among=RULES)
def _interface(it: Container) -> str | None:
    return next(
        (f"{port['published']} listens everywhere" for port in it.ports if port.get("host_ip") != "127.0.0.1"), None
    )


@rule("CIS 5.15", title="it is restarted five times at most", among=RULES)
def _restart(it: Container) -> str | None:
    policy, _, times = it.restart.partition(":")
    if policy in {"", "no"} or (policy == "on-failure" and 0 < int(times or 99) <= 5):
        return None
    return f"restart: {it.restart}"


def _namespace(number: str, title: str, *names: str) -> None:
    @rule(number, title=title, among=RULES)
    def _(it: Container) -> str | None:
        return next((f"{name}: {it.namespaces[name]}" for name in names if name in it.namespaces), None)


_namespace("CIS 5.16", "it has processes of its own", "pid", "PidMode")
_namespace("CIS 5.17", "it has shared memory of its own", "ipc", "IpcMode")
_namespace("CIS 5.21", "it has a host name of its own", "uts", "UTSMode")
_namespace("CIS 5.31", "it is not taken out of user namespaces", "userns_mode", "UsernsMode")


@rule("CIS 5.18", title="it sees no device of the host", among=RULES)
def _devices(it: Container) -> str | None:
    return f"it sees {it.devices}" if it.devices else None


@rule("CIS 5.20", title="its mounts do not spread", among=RULES)
def _propagation(it: Container) -> str | None:
    spread = [bind for bind in it.binds if bind.propagation not in {"", "private", "rprivate"}]
    return f"{spread[0].source}: {spread[0].propagation}" if spread else None


@rule("CIS 5.22", title="system calls are filtered", among=RULES)
def _seccomp(it: Container) -> str | None:
    return next((word for word in it.security if re.match(r"seccomp[=:]unconfined", word)), None)


@rule("OWASP 6", title="the profile of the kernel's security module stays on", among=RULES)
def _security_module(it: Container) -> str | None:
    return next((word for word in it.security if re.match(r"(apparmor[=:]unconfined|label[=:]disable)", word)), None)


@rule("CIS 5.26", "OWASP 4", title="it gets no new privileges", among=RULES)
def _new_privileges(it: Container) -> str | None:
    granted = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
    return None if granted & set(it.security) else "a setuid program may raise it"


@rule("CIS 5.27", title="its health is asked while it runs", among=RULES)
def _health(it: Container) -> str | None:
    return None if it.health else "nobody asks"


@rule("CIS 5.29", "OWASP 7", title="its processes are limited", among=RULES)
def _processes(it: Container) -> str | None:
    return None if it.processes > 0 else "it may fork without end"


@rule("CIS 5.30", "OWASP 5", title="it meets others only in networks that are named for it", among=RULES)
def _bridge(it: Container) -> str | None:
    named = {f"{SETTINGS.project}_{name}" for name in compose()["networks"]} | set(compose()["networks"]) | {"none"}
    strange = [name for name in it.networks if name not in named or name == "default"]
    return f"it is in {strange[0] or 'the default bridge'}" if strange else None


@rule("CIS 5.32", "OWASP 1", title="it does not see Docker's socket", among=RULES)
def _socket(it: Container) -> str | None:
    return next((f"it mounts {bind.source}" for bind in it.binds if bind.source.endswith(".sock")), None)


@rule("OWASP 10", title="what it says is kept, within a limit", among=RULES)
def _log(it: Container) -> str | None:
    driver, options = it.log
    if driver in {"", "none"}:
        return "its log is not kept"
    return None if {"max-size", "max-file"} <= set(options) else "its log may fill the disk"


@rule("OWASP 12", title="its secrets are files to read, and no variables", among=RULES)
def _secrets(it: Container) -> str | None:
    if not it.secrets_read_only:
        return "it may write its secrets"
    return next((name for name, value in it.environment.items() if secret_in(name, value)), None)


@rule("OWASP 13", title="its image is built here, or named by its digest", among=RULES)
def _image(it: Container) -> str | None:
    return None if it.built_here or re.search(r"@sha256:[0-9a-f]{64}$", it.image) else f"{it.image} may change"
