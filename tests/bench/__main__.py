"""Measures our stages beside psql and their peers, in one run: `make bench`.

    usage: setup/bench.sh [--rounds 5] [--times 10] [--only JOB...] [--without PEER...] [--write]

Each job is done by each contender in turn, round after round, so that whatever slows the machine slows everybody; the
median of the rounds counts. --write puts the tables into docs/benchmarks.md.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from tests.bench.arena import Arena, Measured, arena
from tests.bench.jobs import JOBS, LIMIT, Job
from tests.bench.table import table, write

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
            job = JOBS[name](place)
            measured, problems = _compete(place, job, options.rounds, options.without)
            tables.append(table(job, measured, problems))
            print(f"\n{tables[-1]}\n", flush=True)
            failed = failed or bool(problems)
    if options.write:
        write(PAGE, tables)
    return int(failed)


def _compete(
    place: Arena, job: Job, rounds: int, without: list[str]
) -> tuple[dict[str, list[Measured]], dict[str, str]]:
    """Let everybody do a job, in turn; who fails once is out, and the reason is told."""
    measured: dict[str, list[Measured]] = defaultdict(list)
    problems: dict[str, str] = {}
    wanted = [who for who in job.contenders if not any(word in who.name for word in without) or LIMIT in who.name]
    for number in range(1, rounds + 1):
        for contender in wanted:
            if contender.name in problems:
                continue
            job.before()
            try:
                took = place.run(contender)
            except RuntimeError as error:
                problems[contender.name] = str(error)
                print(error, file=sys.stderr, flush=True)
            else:
                measured[contender.name].append(took)
                print(f"{job.name}, round {number}, {contender.name}: {took.seconds:.2f} s", flush=True)
    return measured, problems


if __name__ == "__main__":
    sys.exit(main())
