"""Says which pipelines can read their sources from the beginning without losing rows."""

from etl_contract import LoadMode
from etl_platform._pipeline import Pipeline

_LOST = {
    LoadMode.history: "history keeps versions that no source has any more, and a full refresh would lose them",
    LoadMode.partition: "partition replaces the days of the run's interval; give its first and last with start and end",
}


def refresh_problems(pipeline: Pipeline) -> list[str]:
    """Say why a full refresh would lose rows; nothing where it would lose none."""
    problems = [
        f"extract.{name} reads only the run's interval; give start and end, or load the days again by a backfill"
        for name, source in pipeline.extract.items()
        if source.reads_interval
    ]
    for name, target in pipeline.load.items():
        if target.mode in _LOST:
            problems.append(f"load.{name}: {_LOST[target.mode]}")
        if target.mode is LoadMode.append and (name in pipeline.again or not pipeline.once):
            problems.append(f"load.{name}: append has rows of earlier runs that the sources do not give again")
    return problems
