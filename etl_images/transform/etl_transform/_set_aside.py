"""Sets rows aside: writes them whole, with the reasons, and the dataset anew without them."""

import hashlib
import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from etl_contract import Dataset
from etl_contract.parquet import BATCH_ROWS, reading, writing
from etl_transform._checked_rows import NUMBER, CheckedColumn, CheckedRows
from etl_transform._duckdb import literal, local_path
from etl_transform._rules import SYMBOL_FOR_NUL, Rule


def set_aside(run_uri: str, rows: CheckedRows, rules: Sequence[Rule]) -> tuple[Dataset, Dataset]:
    """Give the dataset with the rows that are left, and the one of those that breach one of the rules.

    A row is set aside once, under the first rule that it breaches; the others are told with it.
    """
    gone = _write_reasons(run_uri, rows, rules)
    numbers = f"select row_number - 1 as number from read_parquet({literal(str(local_path(gone.uri)))}) order by 1"  # noqa: S608 - quoted
    reader = rows.connection.sql(numbers).to_arrow_reader(BATCH_ROWS)
    return _write_rest(run_uri, rows.dataset, _Numbers(batch.column(0) for batch in reader)), gone


def _write_reasons(run_uri: str, rows: CheckedRows, rules: Sequence[Rule]) -> Dataset:
    uri = f"{run_uri.rstrip('/')}/quarantine/{rows.dataset.name}.parquet"
    path = local_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    breaches = [f"b{number}" for number in range(len(rules))]
    values = [f"v{number}" for number in range(len(rules))]
    titles = [literal(rule.title) for rule in rules]
    also = ", ".join(f"case when {b} then {title} end" for b, title in zip(breaches, titles, strict=True))
    query = f"""
        select number as row_number,
               {_first(breaches, titles)} as rule,
               {_first(breaches, [literal(rule.column) if rule.column else "null" for rule in rules])}::varchar
                   as column_name,
               {_first(breaches, values)} as value,
               list_filter([{also}], lambda title: title is not null)[2:] as also,
               {_without_nul("whole")} as "row"
        from (
            select {NUMBER} + 1 as number, {_json(rows)} as whole,
                   {", ".join(f"({rule.breach}) as b{number}" for number, rule in enumerate(rules))},
                   {", ".join(f"{rule.value} as v{number}" for number, rule in enumerate(rules))}
            from {rows.source}
            where {" or ".join(f"({rule.breach})" for rule in rules)}
        )
    """  # noqa: S608 - quoted
    target = literal(str(part))
    try:
        written = rows.connection.execute(f"copy ({query}) to {target} (format parquet, compression zstd)").fetchall()[
            0
        ][0]
        with part.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        size = part.stat().st_size
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Dataset(name=rows.dataset.name, uri=uri, rows=written, bytes=size, sha256=checksum)


def _first(breaches: Sequence[str], values: Sequence[str]) -> str:
    cases = " ".join(f"when {breach} then {value}" for breach, value in zip(breaches, values, strict=True))
    return f"case {cases} end"


def _json(rows: CheckedRows) -> str:
    """Write a row as JSON, a column a field: put together as text, since DuckDB would round decimals on the way."""
    fields = (
        f"{literal(json.dumps(column.name, ensure_ascii=False) + ':')} || coalesce({_json_value(column)}, 'null')"
        for column in rows.columns.values()
    )
    return f"'{{' || {" || ',' || ".join(fields)} || '}}'"


def _json_value(column: CheckedColumn) -> str:
    """Write a value as JSON; what JSON has no word for is text."""
    value, as_text = f"to_json({column.sql})::varchar", f"to_json({column.sql}::varchar)::varchar"
    match column.family:
        case "float":
            return f"case when isfinite({column.sql}) then {value} else {as_text} end"
        case "list" | "struct":  # which may hold such numbers
            return f"case when regexp_matches({value}, 'NaN|Infinity') then {as_text} else {value} end"
        case "boolean" | "integer" | "decimal" | "text" | "null":
            return value
        case _:
            return as_text


def _without_nul(whole: str) -> str:
    """Write a sign where a text has the character NUL, which PostgreSQL cannot store; an escaped backslash stays."""
    escaped = f"replace({whole}, '\\\\', chr(1))"  # JSON holds no such character as it is
    return f"replace(replace({escaped}, '\\u0000', {SYMBOL_FOR_NUL}), chr(1), '\\\\')"


class _Numbers:
    """Hands out ascending numbers of rows as far as a batch of rows goes."""

    def __init__(self, chunks: Iterator[pa.Array]) -> None:
        self._chunks = chunks
        self._rest = pa.array([], pa.int64())

    def below(self, end: int) -> pa.Array:
        """Give the numbers below `end` that were not given yet."""
        taken = []
        while True:
            within = pc.sum(pc.less(self._rest, end)).as_py() or 0
            taken.append(self._rest.slice(0, within))
            self._rest = self._rest.slice(within)
            if len(self._rest) or (chunk := next(self._chunks, None)) is None:
                return pa.concat_arrays(taken)
            self._rest = chunk.cast(pa.int64())


def _write_rest(run_uri: str, dataset: Dataset, gone: _Numbers) -> Dataset:
    """Write the rows that are left by batches; the file itself keeps every type as it is."""
    with reading(dataset) as parquet, writing(f"{run_uri}/transform", dataset.name, parquet.schema_arrow) as writer:
        before = 0
        for group in range(parquet.num_row_groups):  # one by one: asked for all, pyarrow reads ahead
            for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
                numbers = gone.below(before + batch.num_rows)
                writer.write(_without(batch, numbers, before) if len(numbers) else batch)
                before += batch.num_rows
        return writer.finish()


def _without(batch: pa.RecordBatch, numbers: pa.Array, before: int) -> pa.RecordBatch:
    own = pa.array(range(before, before + batch.num_rows), pa.int64())
    return batch.filter(pc.invert(pc.is_in(own, numbers)))
