"""Runs `python -m etl_secrets`, the one-shot service of that name."""

import argparse
import sys
from pathlib import Path

from etl_secrets._change import (
    CONNECTION_FILES,
    FORGOTTEN,
    LINEAGE_FILES,
    OWN,
    ROTATED,
    channel,
    connect,
    connections,
    disconnect,
    forget,
    lineage,
    rotate,
    set_value,
)
from etl_secrets._errors import SecretsError
from etl_secrets._init import Outcome, init
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
        outcome = _changed(vault, options)
    except SecretsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(
            f"{error.filename}: {error.strerror}; "
            "run this as root with the capabilities CHOWN, DAC_OVERRIDE and FOWNER, as docker-compose.yml does\n"
        )
        return 1
    if outcome is None:
        return 0
    for path in outcome.created:
        sys.stdout.write(f"created {path}\n")
    for path in outcome.replaced:
        sys.stdout.write(f"replaced {path}\n")
    sys.stdout.write(f"{outcome}\n")
    return 0


def _changed(vault: Vault, options: argparse.Namespace) -> Outcome | None:
    """Run a subcommand that writes; secrets come by standard input, never as words of a command."""
    match options.command:
        case "rotate":
            return rotate(vault, options.volumes, options.name)
        case "forget":
            return forget(vault, options.volumes, options.name)
        case "set":
            return set_value(vault, options.volumes, options.name, sys.stdin.read().rstrip("\r\n"))
        case "init":
            return init(vault, options.volumes)
    _kept(vault, options)
    return None


def _kept(vault: Vault, options: argparse.Namespace) -> None:
    """Run a subcommand about what people add."""
    match options.command:
        case "connect":
            connect(vault, options.name, options.file, sys.stdin.read())
            sys.stdout.write(f"connection {options.name} has its {options.file}\n")
        case "disconnect":
            gone = disconnect(vault, options.name, options.file)
            sys.stdout.write(f"connection {options.name} has lost its {', '.join(gone)}\n")
        case "channel":
            channel(vault, options.name, sys.stdin.read())
            sys.stdout.write(f"channel {options.name} has its address\n")
        case "lineage":
            lineage(vault, options.name, sys.stdin.read())
            sys.stdout.write(f"lineage has its {options.name}\n")
        case "connections":
            sys.stdout.writelines(f"{name}: {', '.join(files)}\n" for name, files in connections(vault).items())


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
    change = commands.add_parser("rotate", help="generate a secret anew, and write all of its files")
    change.add_argument("name", choices=ROTATED, metavar="NAME", help=", ".join(ROTATED))
    change = commands.add_parser("set", help="take a secret of your own from standard input")
    change.add_argument("name", choices=OWN, metavar="NAME", help=", ".join(OWN))
    change = commands.add_parser("forget", help="no longer believe what was there before a rotation")
    change.add_argument("name", choices=FORGOTTEN, metavar="NAME", help=", ".join(FORGOTTEN))
    change = commands.add_parser("connect", help="take a file of a connection from standard input")
    change.add_argument("name", metavar="NAME", help="such as shop")
    change.add_argument("file", nargs="?", default="uri", choices=CONNECTION_FILES)
    change = commands.add_parser("disconnect", help="delete a connection, or one file of it")
    change.add_argument("name", metavar="NAME", help="such as shop")
    change.add_argument("file", nargs="?", choices=CONNECTION_FILES)
    change = commands.add_parser("channel", help="take the address of a channel of alerts from standard input")
    change.add_argument("name", metavar="NAME", help="such as mail")
    change = commands.add_parser("lineage", help="take where events of lineage are sent to from standard input")
    change.add_argument("name", metavar="NAME", help=", ".join(LINEAGE_FILES))
    commands.add_parser("connections", help="name the connections, and the files of each")
    show = commands.add_parser("show", help="print one secret")
    show.add_argument("name", choices=[file.path for file in FILES], metavar="NAME", help="such as analyst/password")
    return parser


if __name__ == "__main__":
    sys.exit(main())
