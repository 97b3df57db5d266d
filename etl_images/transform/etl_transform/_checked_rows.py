"""Shows a dataset to DuckDB as its checks read it: columns by the names that the file has, rows with their number."""

from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from etl_contract import Dataset, SpecError
from etl_transform._duckdb import identifier, literal, local_path

NUMBER = "file_row_number"  # DuckDB's own name for it, from 0
_INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_FAMILIES = {
    "BOOLEAN": "boolean",
    "FLOAT": "float",
    "DOUBLE": "float",
    "VARCHAR": "text",
    "BLOB": "binary",
    "DATE": "date",
    "TIME": "time",
    "INTERVAL": "interval",
    '"NULL"': "null",
}
_MICROSECONDS = {"s": "* 1000000", "ms": "* 1000", "us": "", "ns": "// 1000"}


class CheckedColumn(NamedTuple):
    """A column: its name in the file, how SQL names it, its type, and the family that this belongs to."""

    name: str
    sql: str
    type: str
    family: str

    @property
    def integer_range(self) -> tuple[int, int]:
        """Give the least and the greatest unscaled value of an integer's or a decimal's type."""
        if self.family == "decimal":
            most = 10 ** int(self.type.removeprefix("DECIMAL(").partition(",")[0]) - 1
            return -most, most
        bits = _INTEGERS[self.type.removeprefix("U")]
        return (0, 2**bits - 1) if self.type[0] == "U" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    @property
    def scale(self) -> int:
        """Give the digits after the point."""
        return int(self.type.rstrip(")").rpartition(",")[2]) if self.family == "decimal" else 0


class CheckedRows:
    """The rows of a dataset.

    Raises:
        SpecError: its columns are none that the checks can read.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
        self.connection = connection
        self.dataset = dataset
        path = str(local_path(dataset.uri))
        schema = pq.read_schema(path)
        _refuse(schema, dataset.name)
        file = f"read_parquet({literal(path)})"
        # DuckDB takes upper and lower case for the same, and then renames; so columns are told by their place.
        names = connection.sql(f"from {file}").columns
        replaced = {
            name: f"to_microseconds({identifier(name)} {_MICROSECONDS[field.type.unit]})"
            for name, field in zip(names, schema, strict=True)
            if pa.types.is_duration(field.type)
        }
        replace = ", ".join(f"{value} as {identifier(name)}" for name, value in replaced.items())
        everything = f"* replace ({replace})" if replace else "*"
        self.source = f"(select {everything}, {NUMBER} from {file}) as {identifier(dataset.name)}"  # noqa: S608 - quoted
        types = connection.sql(f"from {self.source}").types
        self.columns = {
            field.name: CheckedColumn(field.name, identifier(name), str(kind), _family(str(kind)))
            for field, name, kind in zip(schema, names, types[: len(names)], strict=True)
        }


def _refuse(schema: pa.Schema, name: str) -> None:
    where = f"expect.{name}"
    for field in schema:
        if field.name.lower() == NUMBER:
            problem = f"'{field.name}' is a name that the checks need for themselves"
            raise SpecError(problem, where=where, hint="Rename the column in the transform.")


def _family(kind: str) -> str:
    if kind.endswith("]"):
        return "list"
    if kind.startswith(("STRUCT(", "MAP(")):
        return "struct"
    if kind.startswith("DECIMAL("):
        return "decimal"
    if kind.startswith("TIMESTAMP"):
        return "timestamptz" if kind.endswith("ZONE") else "timestamp"
    return "integer" if kind.removeprefix("U") in _INTEGERS else _FAMILIES.get(kind, "other")
