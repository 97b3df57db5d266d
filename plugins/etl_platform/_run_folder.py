"""Names the folder of a run, the same for whoever writes into it and whoever reads from it."""

import hashlib
import re


def run_folder(run_id: str) -> str:
    """Give a folder name for a run: readable, safe in a path and a URL, and unlike that of any other run."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", run_id).strip("-.")[:80]
    return f"{readable}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"
