"""What setup/replay.sh asks the warehouse: which runs to replay, and what is still in quarantine."""

import re
import subprocess
from datetime import date
from pathlib import Path

from etl_load._load import load_into
from tests.load.cases import FIRST, SECOND, flights
from tests.load.test_quarantine import POSITIVE, checked, delays
from tests.load.warehouse import CONTAINER, Loading

SCRIPT = Path(__file__).parents[2] / "setup" / "replay.sh"


def asked(function: str, pipeline: str) -> list[str]:
    """Run a query of the script as the script does; give its lines."""
    text = SCRIPT.read_text()
    (query,) = re.findall(rf"^{function}\(\) \{{\n.*?<<'SQL'\n(.*?)^SQL$", text, re.MULTILINE | re.DOTALL)
    (options,) = re.findall(r"psql (--no-psqlrc .*?--file -) warehouse", text, re.DOTALL)
    words = [word.strip('"').replace("$1", pipeline) for word in options.replace("\\\n", " ").split()]
    command = ["docker", "exec", "--interactive", "--user", "postgres", CONTAINER, "psql", *words, "warehouse"]
    return subprocess.run(command, input=query, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_runs_to_replay_are_in_the_order_of_their_intervals(loading: Loading) -> None:
    """Those that set rows aside, all that have loaded since the first of them, and how many rows of which rule."""
    for run_id, day, values in (
        ("b", FIRST, (1,)),
        ("c", SECOND, (-1, 2)),
        ("a", date(2024, 3, 3), (3,)),
        ("d", date(2024, 3, 4), (-1, -2)),
    ):
        load_into(loading.warehouse.uri(), checked(loading, delays(*values), POSITIVE, run_id=run_id, day=day))

    assert asked("quarantined", "flights") == ["c", "d"]
    assert asked("loaded_since", "flights") == ["c", "a", "d"]
    assert asked("summary", "flights") == ["  flights: delay in_range [1, null]: 3 rows of 2 runs"]


def test_a_run_whose_rows_were_all_set_aside_is_replayed_too(loading: Loading) -> None:
    """Each run is there once, also with an odd name; of another pipeline, none is."""
    name = "manual__2024-03-01T00:00:00+00:00"
    load_into(loading.warehouse.uri(), checked(loading, delays(-1), POSITIVE, run_id=name))
    load_into(loading.warehouse.uri(), checked(loading, flights(FIRST, 0), POSITIVE, run_id=name, day=SECOND))
    load_into(loading.warehouse.uri(), checked(loading, delays(-1), POSITIVE, run_id=name))

    assert asked("quarantined", "flights") == asked("loaded_since", "flights") == [name]
    assert asked("quarantined", "it's") == asked("summary", "it's") == []
