"""What happens to the project of the tests at their end."""

import subprocess
from pathlib import Path

import pytest

from tests._stack import ROOT

ENDING = """
set -euo pipefail
. {root}/setup/runner.sh
log=$PWD/log
clean_up() {{ if remove_project; then echo removed; else echo left; fi; }}
trap clean_up EXIT
exit 4
"""


@pytest.mark.parametrize(("down", "said"), [("true", "removed\n"), ("echo a reason; false", "left\n")])
def test_what_became_of_the_project_does_not_depend_on_the_tests(tmp_path: Path, down: str, said: str) -> None:
    """Tests that failed are no reason to say that their stack is still there."""
    script = tmp_path / "setup" / "down.sh"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{down}\n")
    script.chmod(0o755)
    ending = ["bash", "-c", ENDING.format(root=ROOT)]
    done = subprocess.run(ending, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (4, said)
    assert done.stderr == ("" if down == "true" else "a reason\n")
