"""Runs a command in a terminal, as a person does who reads and then answers."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence


def in_terminal(command: Sequence[str], environment: Mapping[str, str], *answers: tuple[str, bytes]) -> tuple[int, str]:
    """Give the exit code, and all that the terminal was written.

    Args:
        command: what runs; the terminal controls it, so that Ctrl-C reaches it.
        environment: its variables.
        answers: what is typed, each once the words before it are to be read.
    """
    ours, theirs = pty.openpty()
    program = ["setsid", "--ctty", "--wait", *command]
    with subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said, since, left = b"", 0, list(answers)
        while chunk := _read(ours):
            said += chunk
            while left and left[0][0].encode() in said[since:]:
                since = len(said)
                os.write(ours, left.pop(0)[1])
        code = process.wait(60)
    os.close(ours)
    assert not left, f"was never asked {left[0][0]!r}: {said.decode()}"
    return code, said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody has it open any more
        return b""
