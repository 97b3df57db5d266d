"""Orders what is loaded, where rows may only go on if others are there."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from etl_contract._expect import Expectation
from etl_contract._targets import LoadTarget


def merge_order(load: Mapping[str, LoadTarget], expect: Mapping[str, Expectation]) -> tuple[str, ...]:
    """Name the datasets so that rows meet the tables of which they are set aside only when those have been loaded.

    Raises:
        ValueError: tables wait for each other, or for themselves.
    """
    into = {target.table: name for name, target in load.items()}
    before = {
        name: {into[table] for table in sorted(expect[name].tables_before) if table in into} if name in expect else ()
        for name in load
    }
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " -> ".join(load[name].table for name in error.args[1])
        problem = f"rows of {circle} cannot be set aside, since others may refer to them; let references fail or warn"
        raise ValueError(f"expect: {problem}") from None
