"""Writes a pipeline to begin with: its file, its twin, and a test with given and expected rows, all of which work."""

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import NamedTuple

import yaml
from sqlglot import TokenType, tokenize
from sqlglot.expressions import to_identifier

from etl_contract import Format, SpecError, format_of
from etl_platform._pipeline import Broken, read_pipeline
from etl_platform._schema import MODELINE

_TABLE = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)")
_EXAMPLES = {
    "bigint": ("1", "2"),
    "double": ("1.5", "2.5"),
    "boolean": ("true", "false"),
    "date": ("2026-01-01", "2026-01-02"),
    "timestamp": ("2026-01-01 12:00:00", "2026-01-01 13:00:00"),
    "timestamptz": ("2026-01-01 12:00:00+00", "2026-01-01 13:00:00+00"),
}


class Wish(NamedTuple):
    """What an author wants of a new pipeline.

    `source` is an address, a pattern of files in the inbox, or CONNECTION.TABLE. `columns` are types by name, `rows`
    some rows as text; they are the source's where that is `known`, and else an example's.
    """

    name: str
    source: str
    language: str = "pandas"
    key: tuple[str, ...] = ()
    schedule: str = "@daily"
    timezone: str = "UTC"
    columns: Mapping[str, str] = MappingProxyType({})
    rows: tuple[tuple[str, ...], ...] = ()
    known: bool = False


def write_pipeline(wish: Wish, folder: Path) -> list[Path]:
    """Write the files, and give their paths below the folder.

    Raises:
        SpecError: one of them is there already; nothing is written then.
    """
    wish = _with_columns(wish)
    case = f"tests/{wish.name}/first_day"
    texts = {
        f"{wish.name}.yaml": _pipeline(wish),
        f"{case}/case.yaml": _CASE,
        f"{case}/given/{wish.name}.csv": _csv(wish),
        f"{case}/expected/{wish.name}.csv": _csv(wish),
    }
    if wish.language == "pandas":
        texts[f"{wish.name}.py"] = _PYTHON.format(name=wish.name)
    elif wish.language == "sql":
        texts[f"{wish.name}.sql"] = _SQL.format(name=wish.name, table=_sql_name(wish.name))
    if there := sorted(name for name in texts if (folder / name).exists()):
        raise SpecError(f"config/pipelines/{there[0]} is there already", hint="Choose another name, or remove it.")
    with TemporaryDirectory() as trial:
        _write(texts, Path(trial))
        if isinstance(broken := read_pipeline(Path(trial) / f"{wish.name}.yaml"), Broken):
            problems = "; ".join(problem.message for problem in broken.problems)
            raise SpecError(f"nothing was written: {problems}")
    _write(texts, folder)
    return [Path(name) for name in texts]


def _write(texts: Mapping[str, str], folder: Path) -> None:
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _with_columns(wish: Wish) -> Wish:
    """Fill in an example's columns and rows, where the source's are not known."""
    names = [*wish.key, *([] if wish.key else ["id"]), "name"]
    columns = wish.columns or {name: "bigint" if name in wish.key or name == "id" else "text" for name in names}
    if unknown := [column for column in wish.key if column not in columns]:
        raise SpecError(f"the source has no column '{unknown[0]}'", hint=f"It has: {', '.join(columns)}.")
    rows = wish.rows
    if not rows and not wish.known:
        pairs = [_EXAMPLES.get(written, ("one", "two")) for written in columns.values()]
        rows = tuple(zip(*pairs, strict=True))
    return wish._replace(columns=columns, rows=rows)


def _csv(wish: Wish) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(wish.columns)
    writer.writerows(wish.rows)
    return text.getvalue()


def _pipeline(wish: Wish) -> str:
    title = wish.name.replace("_", " ").capitalize()
    table = f"mart.{wish.name}"
    parts = [
        MODELINE,
        f"description: {title}, and what they are for",
        "owner: data-team",
        "# When it runs, and about what: a daily run is about the day before. Every field: docs/pipelines.md",
        f"schedule: {json.dumps(wish.schedule)}",
        f"timezone: {wish.timezone}",
        "# Nothing half written runs: its schedule waits for the first `make run`, or the switch in the web UI.",
        "paused: true",
        "",
        "extract:",
        f"  {wish.name}:",
        *(f"    {line}" for line in _source(wish)),
        "",
    ]
    if wish.language == "pandas":
        parts += ["transform:", f"  pandas: {wish.name}.py:clean", ""]
    elif wish.language == "sql":
        parts += ["transform:", f"  sql: {wish.name}.sql", ""]
    first = wish.key[0] if wish.key else next(iter(wish.columns))
    parts += [
        "# What the rows are expected to be; the run fails where they are not, before anything is loaded.",
        "expect:",
        f"  {wish.name}:",
        "    columns:",
        f"      {_word(first)}: {{nullable: {'false' if wish.key else 'true'}}}",
        "",
        "load:",
    ]
    if wish.key:
        key = ", ".join(map(_word, wish.key))
        parts += ["  # Rows are updated by their key, so that a day that runs twice leaves the same rows."]
        parts += [f"  {wish.name}: {{table: {table}, mode: upsert, key: [{key}]}}"]
    else:
        parts += ["  # Each run replaces all rows; with a key, 'mode: upsert' would keep those of other days."]
        parts += [f"  {wish.name}: {{table: {table}, mode: replace}}"]
    parts += [
        "",
        "visualize:",
        f"  title: {title}",
        "  figures:",
        f"    - {{label: Rows, sql: select count(*) from mart.{_sql_name(wish.name)}, compare: false}}",  # noqa: S608 - an author's
        "  tables:",
        f"    - {{title: Some of the rows, sql: select * from mart.{_sql_name(wish.name)}}}",  # noqa: S608 - as above
    ]
    return "\n".join(parts) + "\n"


def source_of(text: str) -> dict[str, str]:
    """Say in the words of a pipeline file what source an author means."""
    form = format_of(text)
    if form is None and (table := _TABLE.fullmatch(text)):
        return {"sql": table[1], "table": table[2]}
    source = {"http" if text.startswith(("http://", "https://")) else "files": text}
    return source if form else {**source, "format": "csv"}


def _source(wish: Wish) -> list[str]:
    """Write the source, and what its author may want to add."""
    source = source_of(wish.source)
    lines = [f"{field}: {_word(value)}" for field, value in source.items()]
    if "sql" in source:
        return [*lines, "# Only the rows that a run is about:", "# where: ordered_at >= :start and ordered_at < :end"]
    if "http" in source:
        lines.insert(0, "# The run's day may stand in the address: {start:%Y-%m-%d}")
    if format_of(wish.source) is Format.parquet:
        return lines
    note = " As the first rows show them." if wish.known else " TODO: these are an example's."
    types = [f"  {_word(name)}: {_word(written)}" for name, written in wish.columns.items() if written != "text"]
    return [
        *lines,
        f"# Types of columns; one that is not named is text.{note}",
        *(["columns:", *types] if types else []),
    ]


def _word(text: str) -> str:
    """Write a text as YAML has it, in quotes where it would be something else."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def _sql_name(name: str) -> str:
    """Write a name as SQL has it, in quotes where it is a word of DuckDB's, or of the parser that checks queries."""
    plain = tokenize(name, read="postgres")[0].token_type is TokenType.VAR
    return to_identifier(name, quoted=None if plain else True).sql("duckdb")


_PYTHON = '''\
"""Makes of {name}, as they come, what the warehouse is to hold."""

import pandas as pd


def clean({name}: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give a DataFrame for each dataset that the pipeline loads, by its name."""
    {name} = {name}.drop_duplicates()
    return {{"{name}": {name}}}
'''
_SQL = """\
-- Makes of {name}, as they come, what the warehouse is to hold: a table for each dataset that the pipeline loads.
create table {table} as
select distinct *
from {table};
"""
_CASE = """\
# A test: the rows of given/ go through the transform, and those of expected/ should come out: make pipeline-test
# The day that the run is about, in the pipeline's time zone.
day: 2026-01-01
"""
