"""Reads what the container may use: its control group's limits, of either version, or else the machine's."""

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def memory_limit(cgroups: Path = CGROUPS) -> int:
    """Give the most memory, in bytes."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    written = _read(cgroups / "memory.max") or _read(cgroups / "memory/memory.limit_in_bytes") or "max"
    return machine if written == "max" else min(int(written), machine)


def cores(cgroups: Path = CGROUPS) -> int:
    """Give how many threads can run at once, at least one."""
    machine = os.process_cpu_count() or 1
    written = _read(cgroups / "cpu.max")
    if written is None:
        quota, period = (_read(cgroups / f"cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
        written = f"{quota or -1} {period or 0}"
    quota, period = written.split()
    return machine if quota in {"max", "-1"} else max(1, min(machine, math.ceil(int(quota) / int(period))))


def resident_memory() -> int:
    """Give how much of it this process uses now, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _read(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:
        return None
