"""Runs other programs."""

import subprocess
from collections.abc import Mapping

from etl_scan._errors import Unanswered


def run(
    *words: str, stdin: bytes = b"", seconds: float = 300, may_fail: bool = False, env: Mapping[str, str] | None = None
) -> bytes:
    """Run a program and give what it prints.

    Raises:
        Unanswered: it failed, or took too long; holds the last line of what it said.
    """
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=seconds, check=False, env=env)
    except FileNotFoundError as error:
        raise Unanswered(f"{words[0]} is not here") from error
    except subprocess.TimeoutExpired as error:
        raise Unanswered(f"{words[0]} gave no answer within {seconds:.0f} s") from error
    if done.returncode and not may_fail:
        raise Unanswered(f"{words[0]}: {last_line(done.stderr or done.stdout)}")
    if may_fail and not done.stdout:
        raise Unanswered(f"{words[0]}: {last_line(done.stderr)}")
    return done.stdout


def last_line(said: bytes, length: int = 200) -> str:
    """Give the last line of what a program said."""
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip()[:length] if lines else "failed, and said nothing"
