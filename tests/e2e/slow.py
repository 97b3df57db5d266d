"""A pipeline that takes its time, so that something can happen meanwhile."""

from tests._stack import Stack, until

YAML = """\
description: A pipeline of the tests that takes its time
extract:
  numbers: {sql: warehouse, query: "select n, pg_sleep(0.1)::text as pause from generate_series(1, 60) as n"}
transform:
  pandas: slow.py:change
load:
  numbers: {table: mart.slow, mode: upsert, key: [n]}
visualize:
  title: Slow
  charts:
    - {title: Numbers, sql: "select n, pg_sleep(0.1)::text as pause from mart.slow", mark: bar, encoding: {x: "n:Q"}}
"""
PYTHON = """\
import time

def change(numbers):
    for second in range(SECONDS):
        print("second", second)
        time.sleep(1)
    return {"numbers": numbers[["n"]]}
"""


def wait_for_stage(stack: Stack, run_id: str, stage: str) -> dict[str, str]:
    """Wait until a stage's container is there; give it."""
    found: list[dict[str, str]] = []

    def there() -> bool:
        found[:] = [container for container in stack.stage_containers(run_id) if container["stage"] == stage]
        return bool(found)

    until(there, 120, every=0.1)
    return found[0]
