"""Appends tables to one dataset: their columns agree, and one that had no value yet takes the type of its first."""

from pathlib import Path

import pyarrow as pa
import pyarrow.types as of

from etl_contract import Dataset, SpecError
from etl_contract.parquet import DatasetWriter, reading

_TEXTS = {pa.string(), pa.large_string()}


class Appended:
    """A dataset to which tables are appended."""

    def __init__(self, folder_uri: str, name: str, schema: pa.Schema) -> None:
        self._folder_uri, self._name = folder_uri, name
        self._writer = DatasetWriter(folder_uri, name, schema)

    def add(self, table: pa.Table, number: int) -> None:
        """Append a table, which is of the batch of that number.

        Raises:
            SpecError: it has other columns than those before.
        """
        schema = self._agreed(table.schema, number)
        if schema != self._writer.schema:
            self._rewrite(schema)
        self._writer.write(table.cast(schema))

    def finish(self) -> Dataset:
        """Give the dataset."""
        return self._writer.finish()

    def abandon(self) -> None:
        """Leave nothing of it."""
        self._writer.abandon()

    def _rewrite(self, schema: pa.Schema) -> None:
        """Begin again with what is there: a file cannot change its types, and rows that wait would fill the memory."""
        before = self._writer.finish()
        with reading(before) as parquet:
            Path.from_uri(before.uri).unlink()  # it stays readable until it is closed
            self._writer = DatasetWriter(self._folder_uri, self._name, schema)
            for group in range(parquet.num_row_groups):
                self._writer.write(parquet.read_row_group(group, use_threads=False).cast(schema))

    def _agreed(self, schema: pa.Schema, number: int) -> pa.Schema:
        ours = self._writer.schema
        strange = set(ours) ^ set(schema)
        if ours.names == schema.names:
            types = {name: _common(ours.field(name).type, schema.field(name).type) for name in ours.names}
            if all(types.values()):
                return pa.schema(types)
            strange = {field for field in strange if types[field.name] is None}
        before, now = (", ".join(sorted(f"{f.name} {f.type}" for f in strange & set(each))) for each in (ours, schema))
        problem = f"batch {number} has {now or 'nothing else'} where those before have {before or 'nothing'}"
        if not strange:
            problem = f"batch {number} has its columns in another order"
        hint = "Give the columns the same types in every batch, such as with astype()."
        raise SpecError(problem, where=f"transform, dataset {self._name}", hint=hint)


def _common(before: pa.DataType, now: pa.DataType) -> pa.DataType | None:
    """Give the type in which neither loses anything: one has no value, or both are text, or lists of such."""
    if before == now or of.is_null(now) or {before, now} <= _TEXTS:
        return before
    if of.is_null(before):
        return now
    if of.is_list(before) and of.is_list(now):
        within = _common(before.value_type, now.value_type)
        return within and pa.list_(within)
    return None
