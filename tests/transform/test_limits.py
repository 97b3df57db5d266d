"""What the container may use, as its control group says."""

import os
from pathlib import Path

import pytest

from etl_transform._limits import cores, memory_limit, resident_memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    """Give a folder for a control group's files."""
    for folder in ("memory", "cpu"):
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("file", "written", "limit"),
    [
        ("memory.max", "536870912\n", 512 * 1024**2),
        ("memory.max", "max\n", MACHINE),
        ("memory/memory.limit_in_bytes", "1073741824\n", 1024**3),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", MACHINE),  # version 1 has no word for none
    ],
)
def test_memory_is_what_either_version_says(cgroups: Path, file: str, written: str, limit: int) -> None:
    """No limit is the machine's memory."""
    (cgroups / file).write_text(written)

    assert memory_limit(cgroups) == limit


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, min(2, os.process_cpu_count() or 1)),
        ({"cpu.max": "max 100000"}, os.process_cpu_count()),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, os.process_cpu_count()),
        ({}, os.process_cpu_count()),
    ],
)
def test_cores_are_whole_and_no_more_than_there_are(cgroups: Path, files: dict[str, str], count: int) -> None:
    """Half a core is one thread, and a core and a half are two."""
    for file, written in files.items():
        (cgroups / file).write_text(written)

    assert cores(cgroups) == count


def test_the_process_knows_its_size() -> None:
    """A Python process has some megabytes."""
    assert 1024**2 < resident_memory() < MACHINE
