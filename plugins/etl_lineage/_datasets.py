"""Says what a try read and made: datasets with their columns, what these are made of, sizes, and rules."""

from collections.abc import Iterable, Iterator, Mapping

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    column_lineage_dataset,
    dataset_version_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)

from etl_contract import Dataset, ExtractTask, LoadTask, SqlSource, StageResult, TransformTask, VisualizeTask
from etl_lineage._assertions import assertions
from etl_lineage._columns import Origin, Origins, origins_of
from etl_lineage._facts import Fact, State, Task
from etl_lineage._places import Place, Places, tables_of


def inputs(fact: Fact, places: Places) -> list[InputDataset]:
    """Give what a try reads."""
    task = fact.task
    match task:
        case ExtractTask():
            return _each_once(place for source in task.spec.values() for place in places.source(source))
        case VisualizeTask():
            return _each_once(places.table(table) for query in _queries(task) for table in tables_of(query))
        case LoadTask():
            used = task.spec.keys() | {name for name, _ in task.export}
            return [_input(fact, dataset, places) for dataset in task.inputs if dataset.name in used]
        case _:
            return [_input(fact, dataset, places) for dataset in task.inputs]


def outputs(fact: Fact, places: Places) -> list[OutputDataset]:
    """Give what a try has made, or is to make, as far as that is known at its beginning; a failed one made nothing."""
    if fact.state is State.start:
        return [OutputDataset(*place) for place in _expected(fact.task, places)]
    result = fact.result if fact.state is State.complete else None
    if result is None:
        return []
    match fact.task:
        case ExtractTask() as task:
            return [
                _file(fact, result, dataset, places, _as_in_source(task, dataset, result, places))
                for dataset in result.datasets
            ]
        case TransformTask() as task:
            origins = origins_of(task, {name: dict(columns) for name, columns in fact.columns.items()})
            there = _made_before(task, places)
            return [
                _file(fact, result, dataset, places, _lineage(_as_named(origins, dataset, result), there))
                for dataset in result.datasets
                if dataset not in task.inputs  # it is handed on as it was found
            ]
        case LoadTask() as task:
            return [*_tables(fact, task, result, places), *_exports(fact, task, result, places)]
        case VisualizeTask() as task:
            statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(size=result.bytes_out)
            return [OutputDataset(*places.report(task.pipeline), outputFacets={"outputStatistics": statistics})]


def _expected(task: Task, places: Places) -> Iterator[Place]:
    if isinstance(task, LoadTask) and not task.dry_run:
        yield from (places.table(target.table) for target in task.spec.values())
        yield from (places.export(target) for _, target in task.export)
    if isinstance(task, VisualizeTask):
        yield places.report(task.pipeline)


def _input(fact: Fact, dataset: Dataset, places: Places) -> InputDataset:
    statistics = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        rowCount=dataset.rows, size=dataset.bytes, fileCount=1
    )
    of_input: dict[str, InputDatasetFacet] = {"inputStatistics": statistics}
    if isinstance(fact.task, LoadTask) and fact.result is not None:
        checked = assertions(dataset.name, fact.result.checks, fact.expect)
        of_input |= {"dataQualityAssertions": checked} if checked else {}
    facets = _schema(dict(fact.columns.get(dataset.name, ()))) | _version(dataset)
    place = places.made(dataset, fact.task.pipeline, fact.task.run_uri)
    return InputDataset(*place, facets=facets, inputFacets=of_input)


def _file(
    fact: Fact, result: StageResult, dataset: Dataset, places: Places, lineage: dict[str, DatasetFacet]
) -> OutputDataset:
    return OutputDataset(
        *places.made(dataset, fact.task.pipeline, fact.task.run_uri),
        facets=_schema(dict(result.columns.get(dataset.name, ()))) | _version(dataset) | lineage,
        outputFacets=_written(dataset.rows, dataset.bytes, 1),
    )


def _tables(fact: Fact, task: LoadTask, result: StageResult, places: Places) -> Iterator[OutputDataset]:
    there = _made_before(task, places)
    for load in result.loads:
        columns = dict(result.columns.get(load.table, ()))
        comments = task.spec[load.dataset].comments if load.dataset in task.spec else {}
        lineage = _lineage(_same(load.dataset, dict(fact.columns.get(load.dataset, ())), columns), there)
        yield OutputDataset(
            *places.table(load.table),
            facets=_schema(columns, comments) | lineage,
            outputFacets=_written(load.rows_inserted + load.rows_updated),
        )


def _exports(fact: Fact, task: LoadTask, result: StageResult, places: Places) -> Iterator[OutputDataset]:
    there, interval = _made_before(task, places), task.interval
    targets = {target.uri(interval.local_start, interval.local_end): target for _, target in task.export}
    for export in result.exports:
        if export.uri in targets:
            columns = dict(fact.columns.get(export.dataset, ()))
            lineage = _lineage(_same(export.dataset, columns, columns), there)
            yield OutputDataset(
                *places.export(targets[export.uri]),
                facets=_schema(columns) | lineage,
                outputFacets=_written(export.rows, export.bytes, 1),
            )


def _as_in_source(task: ExtractTask, dataset: Dataset, result: StageResult, places: Places) -> dict[str, DatasetFacet]:
    """Let the columns of a table that is read as it is be those of the same names."""
    source = task.spec.get(dataset.name)
    if not isinstance(source, SqlSource) or source.table is None:
        return {}
    columns = dict(result.columns.get(dataset.name, ()))
    return _lineage(_same(dataset.name, columns, columns), {dataset.name: places.table(source.table, source.sql)})


def _same(dataset: str, before: Iterable[str], after: Iterable[str]) -> Origins:
    """Let each column be of the one with its name, where there is one."""
    there = set(before)
    return {column: (Origin(dataset, column),) for column in after if column in there}


def _as_named(origins: Mapping[str, Origins], dataset: Dataset, result: StageResult) -> Origins:
    """Give the origins of a dataset's columns by the columns' own names: in SQL, upper and lower case are the same."""
    found = {column.lower(): each for column, each in origins.get(dataset.name, {}).items()}
    return {
        column: found[column.lower()] for column, _ in result.columns.get(dataset.name, ()) if column.lower() in found
    }


def _made_before(task: TransformTask | LoadTask, places: Places) -> dict[str, Place]:
    return {dataset.name: places.made(dataset, task.pipeline, task.run_uri) for dataset in task.inputs}


def _lineage(origins: Origins, there: Mapping[str, Place]) -> dict[str, DatasetFacet]:
    fields = {
        column: column_lineage_dataset.Fields(
            inputFields=[
                column_lineage_dataset.InputField(
                    *there[origin.dataset],
                    field=origin.column,
                    transformations=[column_lineage_dataset.Transformation(type="DIRECT", subtype=origin.how)],
                )
                for origin in each or ()
                if origin.dataset in there
            ]
        )
        for column, each in origins.items()
    }
    known = {column: field for column, field in fields.items() if field.inputFields}
    return {"columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields=known)} if known else {}


def _schema(columns: Mapping[str, str], comments: Mapping[str, str] | None = None) -> dict[str, DatasetFacet]:
    if not columns:
        return {}
    said = comments or {}
    fields = [
        schema_dataset.SchemaDatasetFacetFields(
            name=name, type=kind, description=said.get(name), ordinal_position=number
        )
        for number, (name, kind) in enumerate(columns.items(), start=1)
    ]
    return {"schema": schema_dataset.SchemaDatasetFacet(fields=fields)}


def _version(dataset: Dataset) -> dict[str, DatasetFacet]:
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=dataset.sha256)}


def _written(rows: int, size: int | None = None, files: int | None = None) -> dict[str, OutputDatasetFacet]:
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    return {"outputStatistics": statistics(rowCount=rows, size=size, fileCount=files)}


def _queries(task: VisualizeTask) -> Iterator[str]:
    report = task.spec
    yield from (figure.sql for figure in report.figures)
    yield from (chart.sql for chart in report.charts)
    yield from (table.sql for table in report.tables)
    yield from (figure.compare for figure in report.figures if isinstance(figure.compare, str))


def _each_once(places: Iterable[Place]) -> list[InputDataset]:
    return [InputDataset(*place) for place in dict.fromkeys(places)]
