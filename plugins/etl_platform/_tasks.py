"""Says what a stage is told, as far as that does not depend on who starts it."""

from collections.abc import Iterable
from typing import Any

from etl_contract import Dataset, TransformTask
from etl_platform._pipeline import Pipeline
from etl_platform._yaml import text_lines


def transform_task(
    pipeline: Pipeline,
    inputs: Iterable[Dataset],
    /,
    **common: Any,  # noqa: ANN401 - of the model's types
) -> TransformTask:
    """Tell transform its steps with the texts of their files, where each query begins, and what is expected.

    Args:
        pipeline: what its author wrote.
        inputs: what extract made.
        common: what every stage is told of its run.
    """
    lines = {place: line for place, line in text_lines(pipeline.text).items() if place.startswith("transform.")}
    return TransformTask(
        spec=pipeline.transform,
        files=pipeline.files,
        lines=lines,
        expect=pipeline.expect or {},
        inputs=tuple(inputs),
        **common,
    )


def only_named(pipeline: Pipeline, run_uri: str) -> list[Dataset]:
    """Give the datasets that extract would make, without a file, for whoever asks about names alone."""
    return [
        Dataset(name=name, uri=f"{run_uri}/extract/{name}.parquet", rows=0, bytes=0, sha256="0" * 64)
        for name in pipeline.extract
    ]
