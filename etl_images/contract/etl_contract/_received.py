"""Counts what came into a container over its network."""

from pathlib import Path

_DEVICES = Path("/proc/net/dev")


def received(devices: Path = _DEVICES) -> int:
    """Give the bytes that all network devices have received, but for the one on which programs speak to themselves.

    The kernel counts for each container by itself, and a container is one stage's.
    """
    lines = (line.partition(":") for line in devices.read_text().splitlines()[2:])  # below two lines of headings
    return sum(int(counts.split()[0]) for name, _, counts in lines if name.strip() != "lo")
