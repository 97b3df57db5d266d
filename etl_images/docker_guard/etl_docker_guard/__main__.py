"""Runs the guard: gives up root, then serves. With `health`: asks the guard that runs whether it is well."""

import sys


def docker_guard() -> None:
    """Serve until told to stop; say what is wrong if that cannot begin."""
    import asyncio  # noqa: PLC0415 - `health` starts every half minute, and needs none of this

    from etl_docker_guard._errors import Misconfigured  # noqa: PLC0415
    from etl_docker_guard._log import configure_logging  # noqa: PLC0415
    from etl_docker_guard._privileges import drop_root  # noqa: PLC0415
    from etl_docker_guard._server import serve  # noqa: PLC0415
    from etl_docker_guard._settings import Settings  # noqa: PLC0415

    configure_logging()
    try:
        settings = Settings.read()
        drop_root(settings.socket)
        asyncio.run(serve(settings))
    except Misconfigured as error:
        sys.exit(str(error))


def health() -> None:
    """Exit with 0 if the guard and the Engine behind it answer, and with 1 otherwise."""
    from etl_docker_guard._health import is_healthy  # noqa: PLC0415

    sys.exit(0 if is_healthy() else 1)


if __name__ == "__main__":
    health() if sys.argv[1:] == ["health"] else docker_guard()
