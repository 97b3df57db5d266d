"""A folder and a PATH of their own for the scripts of setup/."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Project:
    """A copy of what the scripts need, with nothing recorded about the machine yet."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the project; nothing of the caller's own settings reaches it."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "DOCKER_HOST") if name in os.environ}
        kept["PATH"] = f"{self.folder / 'bin'}:{kept['PATH']}"
        return subprocess.run(
            command,
            cwd=self.folder,
            env=kept | self.variables | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def fake(self, path: str, script: str) -> None:
        """Put a script in the place of a program (bin/NAME) or of one of ours (setup/NAME)."""
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/usr/bin/env bash\n{script}\n")
        file.chmod(0o755)

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a script of the copy; what is changed must be there."""
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def recorded(self) -> dict[str, str]:
        """Give the variables of .env, which make none of them twice."""
        lines = (self.folder / ".env").read_text().splitlines()
        pairs = [tuple(line.split("=", 1)) for line in lines if line and not line.startswith("#")]
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names)
        return dict(pairs)


def base_image() -> str:
    """Name the Python image that everything here is built on."""
    table = [line.split() for line in (ROOT / "etl_images/upstream/images").read_text().splitlines()]
    official = next(row[1] for row in table if row and row[0] == "PYTHON_IMAGE")
    return os.environ.get("PYTHON_IMAGE", official)


def docker(*words: str) -> str:
    """Run the Docker command line; give what it prints."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
