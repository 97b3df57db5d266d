"""Runs a step of SQL: DuckDB reads Parquet, and each output goes straight into Parquet again, by rows, not as a whole.

datasets ──► views ──► query ──► NAME.parquet.part ──► NAME.parquet ──► the view NAME, for the queries after it
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow.parquet as pq
import structlog

from etl_contract import Dataset, SpecError, SqlTransform, TransformTask
from etl_transform._binding import set_values
from etl_transform._duckdb import literal, local_path, open_duckdb, show_dataset
from etl_transform._made import Made
from etl_transform._place import Place
from etl_transform._script import Helper, Output, read_queries, read_script
from etl_transform._sql_faults import explained
from etl_transform._sql_types import arrow_metadata, expression

# A row group is what DuckDB, and the stage after it, must hold at once: so many rows, or fewer where these are wide.
ROW_GROUP = "row_group_size 122880, row_group_size_bytes '16MB'"

log = structlog.get_logger()


def run_sql(task: TransformTask, step: SqlTransform, field: str, datasets: Mapping[str, Dataset]) -> Made:
    """Make the outputs of a step.

    Args:
        task: its run's folder, interval, parameters, and the texts of files.
        step: what is to be made.
        field: where it stands in the pipeline's file.
        datasets: what there is by now, by name.

    Raises:
        SpecError: the SQL is wrong, is not allowed here, or needs more memory than there is.
        DataError: a value cannot be cast or computed.
        Unavailable: the disk is full.
    """
    work = read_work(task, step, field)
    used = [dataset for name, dataset in datasets.items() if _named(name, work)]
    with open_duckdb(task.run_uri, used) as connection:
        set_values(connection, task.values)
        workshop = _Workshop(connection, f"{task.run_uri}/transform", list(datasets))
        return Made(used, [dataset for item in work if (dataset := workshop.make(item))])


def read_work(task: TransformTask, step: SqlTransform, field: str) -> Sequence[Output | Helper]:
    """Read what a step makes, in order, without making it."""
    file = f"{task.pipeline}.yaml"
    if step.file is not None:
        return read_script(task.files[step.file], task.values, Place(step.file))
    if isinstance(step.sql, str):
        return read_script(step.sql, task.values, Place(file, task.lines.get(field, 1), field))
    fields = {name: f"{field}.{name}" for name in step.sql}
    places = {name: Place(file, task.lines.get(inner, 1), inner) for name, inner in fields.items()}
    return read_queries(step.sql, task.values, places)


def _named(name: str, work: Sequence[Output | Helper]) -> bool:
    """Say whether a text could mean a dataset; one that is not named needs no look at its file."""
    texts = (item.query if isinstance(item, Output) else item.statement for item in work)
    return any(name in text.lower() for text in texts)


class _Workshop:
    """Makes what the statements say, one after the other.

    Args:
        connection: where the datasets are views.
        folder_uri: where outputs go.
        tables: the names of all datasets that there are.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder_uri: str, tables: list[str]) -> None:
        self._connection = connection
        self._folder_uri = folder_uri
        self._tables = tables

    def make(self, item: Output | Helper) -> Dataset | None:
        """Run a statement; give the dataset if it is an output."""
        dataset = None
        if isinstance(item, Output):
            dataset = self._output(item)
            show_dataset(self._connection, dataset)
        else:
            with self._explaining(item.place, running=True):
                self._connection.execute(item.statement)
        self._tables.append(item.name)
        return dataset

    def _output(self, output: Output) -> Dataset:
        """Write an output, atomically, and describe it."""
        started = time.monotonic()
        uri = f"{self._folder_uri}/{output.name}.parquet"
        path = local_path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        columns, intervals = self._columns(output)
        query = f"select {', '.join(columns)} from ({output.query}\n)"  # noqa: S608 - to run it is the purpose
        options = f"format parquet, compression zstd, {ROW_GROUP}"
        execute, target = self._connection.execute, literal(str(part))
        try:
            with self._explaining(output.place, running=True):
                if intervals:
                    execute(f"copy ({query} limit 0) to {target} ({options})")
                    metadata = literal(arrow_metadata(pq.read_schema(part), intervals))
                    options += f", kv_metadata {{'ARROW:schema': {metadata}}}"
                rows = execute(f"copy ({query}) to {target} ({options})").fetchall()[0][0]
            with part.open("rb") as file:
                checksum = hashlib.file_digest(file, "sha256").hexdigest()
            size = part.stat().st_size
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        log.info(f"made {output.name}", rows=rows, seconds=round(time.monotonic() - started, 2))
        return Dataset(name=output.name, uri=uri, rows=rows, bytes=size, sha256=checksum)

    def _columns(self, output: Output) -> tuple[list[str], list[str]]:
        """Give the expression that stores each column, and which of them are intervals."""
        with self._explaining(output.place):
            try:
                relation = self._connection.sql(output.query)
            except duckdb.Error:
                self._connection.execute(f"describe {output.query}")  # fails alike, and tells the line
                raise
        names = relation.columns
        lower = [name.lower() for name in names]
        where = output.place.at()
        if twice := sorted({name for name in names if lower.count(name.lower()) > 1}):
            hint = "Give each its own name with 'as'; upper and lower case are the same."
            raise SpecError(f"two columns are named {', '.join(twice)}", where=where, hint=hint)
        kinds = dict(zip(names, relation.types, strict=True))
        columns = [expression(name, kind, where) for name, kind in kinds.items()]
        return columns, [name for name, kind in kinds.items() if kind.id == "interval"]

    @contextmanager
    def _explaining(self, place: Place, *, running: bool = False) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise explained(error, place, tables=self._tables, running=running) from error
