"""Measures our stages beside psql and their peers, in one run: `make bench`.

    usage: setup/bench.sh [--rounds 5] [--times 10] [--only JOB...] [--without PEER...] [--write]

Each job is done by each contender in turn, round after round, so that whatever slows the machine slows everybody; the
median of the rounds counts. --write puts the tables into docs/benchmarks.md.
"""

import argparse
import sys
import traceback
from pathlib import Path

from tests.bench.arena import arena
from tests.bench.jobs import JOBS
from tests.bench.table import write

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def main() -> int:
    """Run the jobs, print their tables; give 1 where somebody failed."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures our stages beside psql and their peers.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender does each job (default 5)")
    parser.add_argument("--times", type=int, default=10, help="how many years of flights, 336,776 each (default 10)")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--without", nargs="+", default=[], metavar="PEER", help="peers to leave out, such as pandas")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    tables, failed = [], False
    print(f"preparing {options.times} x 336,776 flights", flush=True)
    with arena(options.times) as place:
        for name in options.only:
            try:
                with place.job:
                    job = JOBS[name](place)
                    results = job.run(place, options.rounds, options.without)
                    tables.append(job.table(results))
            except Exception:  # noqa: BLE001 - the other jobs go on
                tables.append(f"### {name}\n\nIt could not be prepared:\n\n```\n{traceback.format_exc(limit=-3)}```")
                failed = True
            else:
                failed = failed or bool(results.problems)
            print(f"\n{tables[-1]}\n", flush=True)
    if options.write:
        write(PAGE, tables)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
