"""Compares what a transform makes of given rows with the rows that its author expects; both stand in CSV."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel

from etl_contract import DataError, Dataset, SpecError, StageError, TransformTask
from etl_contract.parquet import reading, writing
from etl_transform.__main__ import transform
from etl_transform._duckdb import identifier, literal

_MOST_SHOWN = 5
_DIGITS = 9  # of a double; more of them are the processor's


class Case(BaseModel):
    """Where a case's files are, and what they need to be read.

    `types` are DuckDB's, by dataset and column; a dataset of `exact` has no other types, its other columns are text.
    `fails` is a part of what the transform says when it refuses these rows, if that is expected.
    """

    folder: Path
    types: Mapping[str, Mapping[str, str]] = {}
    exact: tuple[str, ...] = ()
    fails: str = ""


def try_case(case: Case, task: TransformTask) -> None:
    """Run the transform over the given rows, and compare.

    Args:
        case: its files.
        task: what the stage is told; its inputs are only names.

    Raises:
        StageError: it makes something else; says what, a row a line.
    """
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'; set autoinstall_known_extensions = false")
        inputs = tuple(_given(database, case, dataset.name, task.run_uri) for dataset in task.inputs)
        try:
            result = transform(task.model_copy(update={"inputs": inputs}))
        except StageError as error:
            if case.fails and case.fails in str(error):
                return
            raise
        if case.fails:
            raise DataError(f"it is expected to say '{case.fails}', but it does not fail")
        problems = [
            *_problems(database, case, "expected", {dataset.name: dataset for dataset in result.datasets}),
            *_problems(database, case, "quarantined", {dataset.name: dataset for dataset in result.quarantined}),
        ]
        aside = {dataset.name: dataset.rows for dataset in result.quarantined if dataset.rows}
        problems += [
            f"{count} rows of {name} are set aside; if they should be, write quarantined/{name}.csv"
            for name, count in aside.items()
            if not (case.folder / "quarantined" / f"{name}.csv").exists()
        ]
    if problems:
        raise DataError("\n".join(problems))


def _given(database: duckdb.DuckDBPyConnection, case: Case, name: str, run_uri: str) -> Dataset:
    """Make a dataset of a given file, as extract would."""
    file = case.folder / "given" / f"{name}.csv"
    if not file.exists():
        raise SpecError(f"there is no given/{name}.csv", hint="Write one; a line with the columns' names is enough.")
    types = dict(case.types.get(name, {}))
    types |= {column: "varchar" for column in _header(database, file) if name in case.exact and column not in types}
    if unknown := sorted(set(types) - set(_header(database, file))):
        # A column that a source declares need not be in a case; what the case itself names must be.
        types = {column: written for column, written in types.items() if column not in unknown}
    listed = ", ".join(f"{literal(column)}: {literal(written)}" for column, written in types.items())
    query = f"from read_csv({literal(str(file))}, header = true, delim = ',', quote = '\"', types = {{{listed}}})"
    try:
        table = database.sql(query if types else query.replace(", types = {}", "")).to_arrow_table()
    except duckdb.Error as error:
        raise SpecError(f"given/{name}.csv cannot be read: {str(error).splitlines()[0]}") from None
    with writing(f"{run_uri}/extract", name, table.schema) as writer:
        writer.write(table)
        return writer.finish()


def _header(database: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    return [str(name) for name in database.sql(f"from {_texts(file)} limit 0").columns]


def _texts(file: Path) -> str:
    return f"read_csv({literal(str(file))}, header = true, delim = ',', quote = '\"', all_varchar = true)"


def _problems(
    database: duckdb.DuckDBPyConnection, case: Case, folder: str, made: Mapping[str, Dataset]
) -> Iterator[str]:
    """Compare each file of a folder with the dataset of its name."""
    for file in sorted((case.folder / folder).glob("*.csv")):
        shown, name = f"{folder}/{file.name}", file.stem
        if name not in made:
            yield f"{shown}: there is no dataset '{name}'{_guess(name, made)}"
            continue
        with reading(made[name]) as parquet:
            there = parquet.read()
        database.register("made", there)
        columns = _header(database, file)
        if unknown := [column for column in columns if column not in there.column_names]:
            yield from (f"{shown}: there is no column '{each}'{_guess(each, there.column_names)}" for each in unknown)
            continue
        yield from _differences(database, file, shown, columns)


def _differences(database: duckdb.DuckDBPyConnection, file: Path, shown: str, columns: list[str]) -> Iterator[str]:
    """Compare the columns that a file names, in any order of the rows."""
    listed = ", ".join(identifier(column) for column in columns)
    made = database.sql(f"select {listed} from made")  # noqa: S608 - quoted names
    types = dict(zip(columns, map(str, made.types), strict=True))
    for column, written in types.items():
        name = identifier(column)
        wrong = f"select {name} from {_texts(file)} where {name} is not null and try_cast({name} as {written}) is null"  # noqa: S608
        if value := database.execute(f"{wrong} limit 1").fetchone():
            yield f"{shown}: '{value[0]}' is no {written.lower()}, as {column} is"
            return
    shown_values = ", ".join(_value(identifier(column), written) for column, written in types.items())
    cast = ", ".join(f"cast({identifier(name)} as {written}) as {identifier(name)}" for name, written in types.items())
    query = f"select {shown_values} from (select {cast} from {_texts(file)})"  # noqa: S608 - as above
    expected = Counter(map(_plain, database.sql(query).fetchall()))
    there = Counter(map(_plain, database.sql(f"select {shown_values} from made").fetchall()))  # noqa: S608 - as above
    for mark, rows in (("-", expected - there), ("+", there - expected)):
        if total := rows.total():
            yield f"{shown}: {total} {'row' if total == 1 else 'rows'} {_MEANING[mark]}"
            yield from (f"  {mark} {', '.join(row)}" for row in sorted(rows.elements())[:_MOST_SHOWN])
            if total > _MOST_SHOWN:
                yield f"  {mark} ... and {total - _MOST_SHOWN} more"


_MEANING = {"-": "expected, but not there", "+": "there, but not expected"}


def _value(name: str, written: str) -> str:
    """Give a value as text, as DuckDB writes it; a double as it is, since its last digits do not count."""
    return name if written in {"DOUBLE", "FLOAT"} else f"cast({name} as varchar)"


def _plain(row: tuple[Any, ...]) -> tuple[str, ...]:
    """Write the values of a row, doubles without their last digits."""
    return tuple(
        "" if value is None else f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value) for value in row
    )


def _guess(word: str, words: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are: {', '.join(words)}"
