"""Names what rows come from and go to, by OpenLineage's rules (https://openlineage.io/docs/spec/naming)."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from etl_contract import Dataset, ExportTarget, FilesSource, HttpSource, Source, SqlSource
from etl_lineage._settings import LineageSettings

WAREHOUSE = "warehouse"
_DEFAULT_SCHEMAS = {"postgres": "public"}
_DIALECTS = ("postgres", "mysql", "sqlite")  # what a connection leads to is not known


class Place(NamedTuple):
    """A dataset's name within a namespace."""

    namespace: str
    name: str


class Places:
    """Names datasets of an installation.

    Files are of the host that is called as the installation is. A file of a run is called without the folder of its
    run, so that it is the same dataset in every run.
    """

    def __init__(self, settings: LineageSettings) -> None:
        self._connections = settings.connections
        self._files = f"file://{settings.namespace}"

    def table(self, table: str, connection: str = WAREHOUSE) -> Place:
        """Name a table behind a connection."""
        address = self._connections.get(connection)
        if address is None:
            return Place(f"connection://{connection}", table)
        parts = urlsplit(address)
        database = parts.path.strip("/").replace("/", ".")
        if "." not in table and (schema := _DEFAULT_SCHEMAS.get(parts.scheme)):
            table = f"{schema}.{table}"
        return Place(f"{parts.scheme}://{parts.netloc}", f"{database}.{table}" if database else table)

    def source(self, source: Source) -> Iterator[Place]:
        """Name what a source reads; the tables of a query, as far as it can be read."""
        match source:
            case SqlSource(table=str(table)):
                yield self.table(table, source.sql)
            case SqlSource():
                for table in tables_of(source.query or ""):
                    yield self.table(table, source.sql)
            case HttpSource():
                parts = urlsplit(source.http)
                yield Place(f"{parts.scheme}://{parts.netloc}", parts.path or "/")
            case FilesSource():
                yield self._stored(source.files) if source.remote else Place(self._files, f"/inbox/{source.files}")

    def made(self, dataset: Dataset, pipeline: str, run_uri: str) -> Place:
        """Name a file that stages hand to each other."""
        return Place(self._files, f"/runs/{pipeline}{dataset.uri.removeprefix(run_uri)}")

    def export(self, target: ExportTarget) -> Place:
        """Name a file for others; its name has the run's interval as the pipeline has it, `{start:...}`."""
        path = target.to.removeprefix(ExportTarget.volume).lstrip("/")
        return self._stored(target.to) if target.remote else Place(self._files, f"/exports/{path}")

    def report(self, pipeline: str) -> Place:
        """Name the report of a pipeline."""
        return Place(self._files, f"/reports/{pipeline}")

    def _stored(self, uri: str) -> Place:
        scheme, _, rest = uri.partition("://")
        store, _, path = rest.partition("/")
        return Place(f"{scheme}://{store}", path)


def tables_of(query: str) -> list[str]:
    """Name the tables that a query reads, in its order; none where it cannot be read."""
    for dialect in _DIALECTS:
        try:
            tree = sqlglot.parse_one(query, read=dialect)
            scopes = traverse_scope(tree)
        except Exception:  # noqa: BLE001, S112 - a parser that is not the database's own may stumble in any way
            continue
        tables = [table for scope in scopes for table in scope.sources.values() if isinstance(table, exp.Table)]
        # A function that gives rows has no name as a table has.
        named = [
            ".".join(part.name for part in table.parts) for table in tables if isinstance(table.this, exp.Identifier)
        ]
        return list(dict.fromkeys(named))
    return []
