"""Opens DuckDB within what the container may use, and shut in: datasets by name, and no file but the run's.

the container's limits ──► memory, threads        the run's folder ──► datasets in, datasets out, spilled rows
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from etl_contract import Dataset, SpecError
from etl_contract.parquet import reading
from etl_transform._limits import cores, memory_limit, used_memory

# What DuckDB takes beside the memory that it counts (buffers of Parquet, fragments) is about a third of the whole.
COUNTED = 0.65
LEAST_MEMORY = 64 * 1024**2


@contextmanager
def open_duckdb(run_uri: str, datasets: Iterable[Dataset] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory, with each dataset as a view of its name.

    What does not fit into memory is spilled into the run's folder, which is swept at the end, and at the start, of
    what a killed try left; so a run has one such database at a time. SQL reaches no network, no extension, no
    setting, and no file but the run's own.

    Raises:
        SpecError: the run's data lies elsewhere than in files.
        DataError, Unavailable: a dataset is not what the stage before wrote, or gone.
    """
    folder = local_path(run_uri)
    spill = folder / "transform" / ".spill"
    shutil.rmtree(spill, ignore_errors=True)
    spill.parent.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder only
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_for_duckdb() // 1024}KiB",
        "threads": cores(),
        "temp_directory": str(spill),
        # The order of rows means nothing to a table, and to keep it costs memory.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(config=settings)
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set allowed_directories = [{literal(f'{folder}/')}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        for dataset in datasets:
            add_dataset(connection, dataset)
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def add_dataset(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Make a dataset a view of its name, after its checksum has been verified; one of that name is replaced.

    Raises:
        DataError, Unavailable: it is not what the stage before wrote, or gone.
        SpecError: a column has more digits than DuckDB's decimals.
    """
    with reading(dataset):
        show_dataset(connection, dataset)


def show_dataset(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Make a dataset that is known to be well a view of its name."""
    path = str(local_path(dataset.uri))
    replacements = [text for field in pq.read_schema(path) if (text := _replacement(field, dataset.name))]
    replace = f"replace ({', '.join(replacements)})" if replacements else ""
    source = f"select * {replace} from read_parquet({literal(path)})"  # noqa: S608 - quoted
    connection.execute(f"create or replace view {identifier(dataset.name)} as {source}")


def _replacement(field: pa.Field, dataset: str) -> str | None:
    """Write how a column is read that DuckDB would take for something else: a duration is stored as a whole number."""
    if pa.types.is_decimal256(field.type):
        problem = f"{dataset}.{field.name} has up to {field.type.precision} digits, and DuckDB's decimals at most 38"
        raise SpecError(problem, where=f"dataset {dataset}", hint="Cast it to fewer, or to text, where it is made.")
    if not pa.types.is_duration(field.type):
        return None
    column = identifier(field.name)
    microseconds = {"s": "* 1000000", "ms": "* 1000", "us": "", "ns": "// 1000"}[field.type.unit]
    return f"to_microseconds({column} {microseconds}) as {column}"


def memory_for_duckdb() -> int:
    """Give how much memory DuckDB may use, in bytes: of what is free now, what it counts."""
    return max(LEAST_MEMORY, int((memory_limit() - used_memory()) * COUNTED))


def local_path(uri: str) -> Path:
    """Give the path of a file's URI.

    Raises:
        SpecError: it is another kind of URI.
    """
    parts = urlsplit(uri)
    if parts.scheme != "file":
        hint = "Transform with pandas there."
        raise SpecError(f"SQL transforms read runs in files, not at {parts.scheme}://", where=uri, hint=hint)
    return Path(unquote(parts.path))


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"
