"""Gives up root, keeping of it only the group that may open the Engine's socket."""

import os
from pathlib import Path

from etl_docker_guard._errors import Misconfigured

_UID = _GID = 10002


def drop_root(socket: Path) -> None:
    """Become uid 10002 with the socket's group, if this is root; do nothing as anyone else.

    The group's number differs from host to host, so that no image and no Compose file can know it. Leaving uid 0 clears
    the permitted, effective and ambient capabilities (capabilities(7), "Effect of user ID changes").
    """
    if os.geteuid() != 0:
        return
    try:
        group = socket.stat().st_gid
    except OSError as error:
        raise Misconfigured(f"{socket}: {error.strerror}. Mount the Docker Engine's socket there.") from error
    try:
        os.setgroups([group])
        os.setresgid(_GID, _GID, _GID)
        os.setresuid(_UID, _UID, _UID)
    except PermissionError as error:
        raise Misconfigured(
            "Root may not become another user here. Add the capabilities SETUID and SETGID, or start the guard as "
            f"{_UID}:{group}."
        ) from error
    os.environ["HOME"] = "/"
