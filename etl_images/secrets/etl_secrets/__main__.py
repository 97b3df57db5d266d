"""Runs `python -m etl_secrets`, the one-shot service of that name."""

import argparse
import sys
from pathlib import Path

from etl_secrets._errors import SecretsError
from etl_secrets._init import init
from etl_secrets._table import FILES
from etl_secrets._vault import Vault


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    options = _parser().parse_args(arguments)
    vault = Vault(options.secrets)
    try:
        if options.command == "show":
            sys.stdout.write(_show(vault, options.name) + "\n")
            return 0
        outcome = init(vault, options.volumes)
    except SecretsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(
            f"{error.filename}: {error.strerror}; "
            "run this as root with the capabilities CHOWN, DAC_OVERRIDE and FOWNER, as docker-compose.yml does\n"
        )
        return 1
    for path in outcome.created:
        sys.stdout.write(f"created {path}\n")
    for path in outcome.replaced:
        sys.stdout.write(f"replaced {path}: it was not made from the password that is there\n")
    sys.stdout.write(f"{outcome}\n")
    return 0


def _show(vault: Vault, name: str) -> str:
    text = vault.read(name)
    if text is None:
        raise SecretsError([f"{name}: not there yet; start the platform once, or run `init`"])
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etl_secrets", description="Generates and shows the platform's secrets.")
    parser.add_argument("--secrets", type=Path, default=Path("/secrets"), help="the secrets volume (default: /secrets)")
    parser.add_argument("--volumes", type=Path, default=Path("/volumes"), help="the other volumes (default: /volumes)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init", help="generate what is missing, and give each volume to its owner; never overwrites")
    show = commands.add_parser("show", help="print one secret")
    show.add_argument("name", choices=[file.path for file in FILES], metavar="NAME", help="such as analyst/password")
    return parser


if __name__ == "__main__":
    sys.exit(main())
