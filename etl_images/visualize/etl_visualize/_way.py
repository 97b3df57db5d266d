"""Follows the rows through the stages: what came, what was left out or set aside, what went on."""

from typing import NamedTuple

from etl_contract import VisualizeTask

_STEPS = {"extract": "Extracted", "transform": "Transformed"}


class Passed(NamedTuple):
    """A dataset as a stage wrote it; `filtered` rows of the dataset of this name before it were left out."""

    name: str
    rows: int
    bytes: int
    filtered: int = 0
    quarantined: int = 0


def way(task: VisualizeTask) -> dict[str, list[Passed]]:
    """Give each step's datasets; the stage that wrote one is the folder that it stands in."""
    aside = {load.dataset: load.rows_quarantined for load in task.loads}
    stages = [(dataset.uri.rsplit("/", 2)[-2], dataset) for dataset in task.inputs]
    extracted = {dataset.name: dataset.rows for stage, dataset in stages if stage == "extract"}
    steps: dict[str, list[Passed]] = {}
    for stage, dataset in stages:
        passed = Passed(dataset.name, dataset.rows, dataset.bytes)
        if stage == "transform":
            quarantined = aside.get(dataset.name, 0)
            filtered = extracted.get(dataset.name, 0) - dataset.rows - quarantined
            # More rows than came are no filter's work, but a join's.
            passed = passed._replace(filtered=max(0, filtered), quarantined=quarantined)
        steps.setdefault(_STEPS.get(stage, "Read"), []).append(passed)
    return steps
