"""The corpus: documents as no one should send them, and what is told of each; what is large or binary is made here."""

import gzip
import io
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter


class Case(NamedTuple):
    """A bad document.

    Args:
        told: what the message says; each must be in it.
        about: what the author declares.
    """

    id: str
    name: str
    make: Callable[[], bytes]
    told: tuple[str, ...]
    about: dict[str, Any] = {}  # noqa: RUF012 - never changed
    heavy: bool = False


class Odd(NamedTuple):
    """A document that looks bad and is not: it has rows."""

    id: str
    name: str
    make: Callable[[], bytes]
    rows: list[dict[str, Any]]
    about: dict[str, Any] = {}  # noqa: RUF012 - never changed


def _text(text: str, encoding: str = "utf-8") -> Callable[[], bytes]:
    return lambda: text.encode(encoding)


def _zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings(action="ignore"):
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return file.getvalue()


def _encrypted() -> bytes:
    data = bytearray(_zipped(("a.csv", b"id\n1\n")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + offset
        data[at : at + 2] = struct.pack("<H", 1)
    return bytes(data)


def _lying() -> bytes:
    """Pack 50 MB, and say that they are 10 bytes."""
    data = bytearray(_zipped(("a.csv", b"id\n" + b"1\n" * 25_000_000)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    return bytes(data)


def _damaged(content: bytes, at: int) -> bytes:
    data = bytearray(content)
    data[at] ^= 0xFF
    return bytes(data)


def _bomb(gigabytes: int) -> bytes:
    """Pack so many gigabytes into a megabyte each."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9) as packed:
        packed.write(b"id\n")
        line = (b"1" * 9_999 + b"\n") * 1_000
        for _ in range(gigabytes * 100):
            packed.write(line)
    return file.getvalue()


def _workbook(fill: Callable[[Any, Any], None], *sheets: str) -> Callable[[], bytes]:
    def made() -> bytes:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
            for name in sheets or ("Sheet1",):
                fill(book.add_worksheet(name), book)
        return file.getvalue()

    return made


def _sheet(*rows: list[Any]) -> Callable[[Any, Any], None]:
    def fill(sheet: Any, _: Any) -> None:  # noqa: ANN401 - xlsxwriter has no stubs
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return fill


def _errors(sheet: Any, _: Any) -> None:  # noqa: ANN401 - as above
    """Fill a sheet with formulas that went wrong, and with texts that only look so."""
    sheet.write_row(0, 0, ["a", "b"])
    for row, error in enumerate(["#DIV/0!", "#N/A", "#REF!"], start=1):
        if sheet.name != "Good":
            sheet.write_formula(row, 0, "=oh", None, error)
        sheet.write(row, 1, error)


def _as_others_write_it() -> bytes:
    """Write a workbook as the standard also allows: with prefixes, no names of cells, and paths from the root."""
    content = _workbook(_errors)()
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = re.sub(rb' r="[AB][0-9]"', b"", data)
                data = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", data).replace(b"xmlns=", b"xmlns:x=")
            elif name == "xl/_rels/workbook.xml.rels":
                data = data.replace(b'"worksheets/', b'"/xl/worksheets/')
            new.writestr(name, data)
    return file.getvalue()


def _workbook_bomb() -> bytes:
    content = _workbook(_sheet(["id"], [1]))()
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
        with new.open("xl/huge.xml", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(b" " * 1024**2)
    return file.getvalue()


def _values_as_names() -> bytes:
    return ("[" + ",".join(f'{{"n{number}": 1}}' for number in range(10_001)) + "]").encode()


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


WIDE = 5_000
ENCODINGS = [
    Case(
        "latin-1 in utf-8",
        "o.csv",
        _text("id,town\n1,Orléans\n", "latin-1"),
        ("o.csv, line 2: byte 0xe9 is no utf-8", "Orl", "encoding: windows-1252"),
    ),
    Case(
        "a broken sequence late in the file",
        "o.csv",
        lambda: b"id\n" + b"1\n" * 100_000 + b"\xc3\n",
        ("o.csv, line 100002: byte 0xc3 is no utf-8",),
    ),
    Case("a mark of utf-16", "o.csv", _text("id\n1\n", "utf-16"), ("mark of UTF-16", "encoding: utf-16")),
    Case("a mark of utf-32", "o.csv", _text("id\n1\n", "utf-32"), ("mark of UTF-32", "encoding: utf-32")),
    Case("utf-16 without a mark", "o.csv", _text("id\n1\n", "utf-16-le"), ("a name has a NUL character",)),
    Case("utf-8 declared as ascii", "o.csv", _text("id\né\n"), ("byte 0xc3 is no ascii",), {"encoding": "ascii"}),
    Case("half of utf-16", "o.csv", lambda: "id\n1\n".encode("utf-16")[:-1], ("is no utf-16",), {"encoding": "utf-16"}),
    Case(
        "a byte that windows-1252 lacks",
        "o.csv",
        lambda: b"id\n\x81\n",
        ("byte 0x81 is no windows-1252",),
        {"encoding": "windows-1252"},
    ),
    Case("NUL bytes", "o.csv", lambda: b"id,name\n1,a\0b\n", ("line 2, column name: 'a\\x00b' holds a NUL character",)),
    Case(
        "NUL in json", "o.json", lambda: b'[{"a": "\\u0000"}]', ("record 1, column a: '\\x00' holds a NUL character",)
    ),
    Case(
        "half a character in json", "o.json", lambda: b'[{"a": "\\ud800"}]', ("record 1, column a", "half a character")
    ),
    Case("latin-1 in json", "o.json", _text('[{"a": "é"}]', "latin-1"), ("byte 0xe9 is no UTF-8", "JSON is UTF-8")),
    Case("latin-1 in ndjson", "o.ndjson", lambda: b'{"a": 1}\n{"a": "\xe9"}\n', ("o.ndjson, line 2: byte 0xe9",)),
]
CSV = [
    Case("an empty file", "o.csv", lambda: b"", ("it is empty; not even a header is there",)),
    Case("only line ends", "o.csv", lambda: b"\n\r\n\n", ("not even a header is there",)),
    Case(
        "a row with a field too many",
        "o.csv",
        _text("id,name\n1,a\n2,b,c\n3,d\n"),
        ("o.csv, line 3: 3 fields, where the header has 2: '2,b,c'", "needs quotes"),
    ),
    Case("a row with a field too few", "o.csv", _text("id,name\n1\n"), ("line 2: 1 fields, where the header has 2",)),
    Case(
        "the wrong delimiter",
        "o.csv",
        _text("id;name\n1;a\n"),
        ("there is no column 'name'", "'id;name'"),
        {"columns": {"name": "text"}},
    ),
    Case(
        "many ragged rows",
        "o.csv",
        lambda: b"id,name\n" + b"1\n" * 100,
        ("100 problems", "line 2: 1 fields", "line 21: 1 fields", "and 80 more"),
    ),
    Case(
        "a quote that is never closed",
        "o.csv",
        _text('id,name\n1,a\n2,"b\n3,c\n'),
        ("o.csv, line 3: a quote opens here and is never closed",),
    ),
    Case(
        "a quote in a quoted field",
        "o.csv",
        _text('id,name\n1,"a"b"\n'),
        ("line 2: a quote ends a field, but the field goes on", "written twice"),
    ),
    Case(
        "two mistakes in one file",
        "o.csv",
        _text('id,n\n1,"a"b\n2,x\n3\n'),
        ("2 problems", "line 2: a quote ends", "line 4: 1 fields"),
    ),
    Case("lines that end with CR alone", "o.csv", lambda: b"id,name\r1,a\r", ("carriage return stands alone",)),
    Case("a name twice", "o.csv", _text("id,name,id\n1,a,2\n"), ("o.csv, line 1: two columns are named 'id'",)),
    Case("names that are missing", "o.csv", _text("id,, \n1,a,b\n"), ("column 2, 3 has no name",)),
    Case(
        "a header that is missing",
        "o.csv",
        _text("1,10\n2,20\n"),
        ("there is no column 'id'; there are '1', '10'",),
        {"columns": {"id": "bigint"}},
    ),
    Case(
        "a field of 20 MB",
        "o.csv",
        lambda: b"id,text\n1," + b"x" * 20_000_000 + b"\n",
        ("line 2: a field has more than 16 MiB",),
        heavy=True,
    ),
    Case(
        "a line without end",
        "o.csv",
        lambda: b"id\n" + b"x" * 50_000_000,
        ("line 2: has more than 32 MiB",),
        heavy=True,
    ),
    Case("20,000 columns", "o.csv", lambda: ",".join(f"c{i}" for i in range(20_000)).encode(), ("20,000 columns",)),
    Case("html", "o.csv", _text("<html><title>Log in</title>"), ("an HTML page with the title 'Log in' where csv",)),
    Case("html with a mark", "o.json", _text("\ufeff  <!DOCTYPE HTML>"), ("an HTML page where json should be",)),
]
VALUES = [
    Case(
        "a word in a number",
        "o.csv",
        _text("n\n1\nx\n"),
        ("o.csv, line 3, column n: 'x' is no integer", "'nulls'"),
        {"columns": {"n": "integer"}},
    ),
    Case(
        "a number that overflows",
        "o.csv",
        _text("n\n2147483648\n"),
        ("'2147483648' is no integer",),
        {"columns": {"n": "integer"}},
    ),
    Case(
        "a bigint that overflows",
        "o.csv",
        _text("n\n9223372036854775808\n"),
        ("is no bigint",),
        {"columns": {"n": "bigint"}},
    ),
    Case("hexadecimal", "o.csv", _text("n\n0x10\n"), ("'0x10' is no integer",), {"columns": {"n": "integer"}}),
    Case(
        "a fraction in a whole number",
        "o.csv",
        _text("n\n1.0\n"),
        ("'1.0' is no smallint",),
        {"columns": {"n": "smallint"}},
    ),
    Case(
        "a decimal comma",
        "o.csv",
        _text('n\n"1,5"\n'),
        ("'1,5' is no decimal(10,2)", "decimal point '.'"),
        {"columns": {"n": "decimal(10,2)"}},
    ),
    Case(
        "a decimal point where a comma is declared",
        "o.csv",
        _text("n\n1.5\n"),
        ("'1.5' is no double", "decimal point ','"),
        {"columns": {"n": "double"}, "decimal": ",", "delimiter": ";"},
    ),
    Case(
        "thousands in the wrong place",
        "o.csv",
        _text("n\n1.23.456\n"),
        ("'1.23.456' is no decimal(10,2)",),
        {"columns": {"n": "decimal(10,2)"}, "decimal": ",", "thousands": ".", "delimiter": ";"},
    ),
    Case(
        "too many digits",
        "o.csv",
        _text("n\n1.005\n123456789.5\n"),
        ("2 problems", "'1.005'", "'123456789.5'"),
        {"columns": {"n": "decimal(10,2)"}},
    ),
    Case(
        "NaN in a decimal",
        "o.csv",
        _text("n\nNaN\nInfinity\n"),
        ("'NaN' is no decimal(10,2)", "'Infinity'"),
        {"columns": {"n": "decimal(10,2)"}},
    ),
    Case(
        "a double that overflows", "o.csv", _text("n\n1e999\n"), ("'1e999' is no double",), {"columns": {"n": "double"}}
    ),
    Case(
        "digits of another script",
        "o.csv",
        _text("n\n\u0661\u0662\n"),
        ("is no integer",),
        {"columns": {"n": "integer"}},
    ),
    Case(
        "a date that is none",
        "o.csv",
        _text("d\n2026-02-29\n"),
        ("line 2, column d: '2026-02-29' is no date",),
        {"columns": {"d": "date"}},
    ),
    Case(
        "a date in another order",
        "o.csv",
        _text("d\n31.01.2026\n"),
        ("'31.01.2026' is no date", "date(%d.%m.%Y)"),
        {"columns": {"d": "date"}},
    ),
    Case(
        "a date unlike its format",
        "o.csv",
        _text("d\n2026-01-31\n"),
        ("is no date like %d.%m.%Y",),
        {"columns": {"d": "date(%d.%m.%Y)"}},
    ),
    Case("the year 0", "o.csv", _text("d\n0000-01-01\n"), ("'0000-01-01' is no date",), {"columns": {"d": "date"}}),
    Case(
        "the year 10000", "o.csv", _text("d\n10000-01-01\n"), ("'10000-01-01' is no date",), {"columns": {"d": "date"}}
    ),
    Case(
        "year 0 with a format", "o.csv", _text("d\n01.01.0000\n"), ("is no date",), {"columns": {"d": "date(%d.%m.%Y)"}}
    ),
    Case(
        "an hour that clocks skip",
        "o.csv",
        _text("t\n2026-03-29 02:30\n"),
        ("'2026-03-29 02:30' is no timestamptz", "an hour that clocks there show once"),
        {"columns": {"t": "timestamptz"}, "timezone": "Europe/Paris"},
    ),
    Case(
        "an hour that clocks show twice",
        "o.csv",
        _text("t\n2026-10-25 02:30\n2026-10-25 02:30+01:00\n"),
        ("line 2, column t: '2026-10-25 02:30' is no timestamptz",),
        {"columns": {"t": "timestamptz"}, "timezone": "Europe/Paris"},
    ),
    Case(
        "a skipped hour with a format",
        "o.csv",
        _text("t\n29.03.2026 02:30\n"),
        ("is no timestamptz like",),
        {"columns": {"t": "timestamptz(%d.%m.%Y %H:%M)"}, "timezone": "Europe/Paris"},
    ),
    Case(
        "an instant without an offset",
        "o.csv",
        _text("t\n2026-01-31 10:00\n"),
        ("is no timestamptz", "'timezone'"),
        {"columns": {"t": "timestamptz"}},
    ),
    Case(
        "an offset where none is declared",
        "o.csv",
        _text("t\n2026-01-31T10:00:00Z\n"),
        ("is no timestamp",),
        {"columns": {"t": "timestamp"}},
    ),
    Case(
        "nanoseconds",
        "o.csv",
        _text("t\n2026-01-31T10:00:00.123456789Z\n"),
        ("is no timestamptz",),
        {"columns": {"t": "timestamptz"}},
    ),
    Case(
        "a leap second",
        "o.csv",
        _text("t\n2016-12-31 23:59:60\n"),
        ("is no timestamp",),
        {"columns": {"t": "timestamp"}},
    ),
    Case("24 o'clock", "o.csv", _text("t\n24:00\n"), ("'24:00' is no time",), {"columns": {"t": "time"}}),
    Case(
        "a word that is no boolean",
        "o.csv",
        _text("b\nyes\nmaybe\n"),
        ("line 3, column b: 'maybe' is no boolean",),
        {"columns": {"b": "boolean"}},
    ),
    Case(
        "every value of a column",
        "o.csv",
        lambda: b"n\n" + b"x\n" * 200_000,
        ("200,000 problems", "and 199,980 more"),
        {"columns": {"n": "integer"}},
    ),
    Case(
        "a column with a hostile name",
        "o.csv",
        _text('"a\nb"\nx\n'),
        ("column 'a\\nb': 'x' is no integer",),
        {"columns": {"a\nb": "integer"}},
    ),
    Case(
        "a long value",
        "o.csv",
        lambda: b"n\n" + b"y" * 100_000 + b"\n",
        ("... (100,000 characters) is no integer",),
        {"columns": {"n": "integer"}},
    ),
]
JSON = [
    Case("nothing", "o.json", lambda: b"", ("this is no JSON", "Was it written, or sent, whole?")),
    Case("a list that breaks off", "o.json", lambda: b'[{"a": 1}, {"a"', ("record 2: this is no JSON",)),
    Case("a comma too many", "o.json", lambda: b'[{"a": 1},]', ("a comma is followed by nothing",)),
    Case("a comma too few", "o.json", lambda: b'[{"a": 1} {"a": 2}]', ("record 2: this is no JSON: ',' expected",)),
    Case("two documents", "o.json", lambda: b'[{"a": 1}]\n[{"a": 2}]', ("follows where it should end",)),
    Case("NaN", "o.json", lambda: b'[{"a": NaN}]', ("record 1: this is no JSON: NaN is no JSON",)),
    Case("-Infinity", "o.ndjson", lambda: b'{"a": 1}\n{"a": -Infinity}\n', ("line 2: this is no JSON: -Infinity",)),
    Case("a name twice", "o.json", lambda: b'[{"a": 1, "a": 2}]', ("the name 'a' stands twice in an object",)),
    Case(
        "records that are none",
        "o.json",
        lambda: b'[{"a": 1}, 7, null, "x"]',
        ("3 problems", "record 2: '7' is no object", "record 3: 'null'", "record 4: 'x'"),
    ),
    Case("a scalar", "o.json", lambda: b"7", ("record 1: '7' is no object",)),
    Case(
        "a path that is not there",
        "o.json",
        lambda: b'{"data": {"rows": []}, "meta": 1}',
        ("there is no 'data.items'; there is 'rows'",),
        {"records": "data.items"},
    ),
    Case(
        "a path through a list",
        "o.json",
        lambda: b'[{"items": []}]',
        ("there is no 'items'", "a list"),
        {"records": "items"},
    ),
    *(
        Case(name, "o.json", lambda text=text: text, ("o.json", "this is no JSON", told), {"records": "data.items"})
        for name, text, told in (
            ("two lists of records", b'{"data": {"items": [{"id": 1}], "items": [{"id": 2}]}}', "'items' stands twice"),
            (
                "two places of records",
                b'{"data": {"items": [{"id": 1}]}, "data": {"items": []}}',
                "'data' stands twice",
            ),
            ("a name twice before records", b'{"a": 1, "a": 2, "data": {"items": []}}', "the name 'a' stands twice"),
            ("a name twice behind records", b'{"data": {"items": [], "a": 1, "a": 2}}', "the name 'a' stands twice"),
            ("a name twice far from records", b'{"data": {"items": [], "b": {"a": 1, "a": 2}}}', "the name 'a' stands"),
            ("an object that breaks off behind records", b'{"data": {"items": [{"id": 1}]', "it breaks off"),
            ("an object around records that breaks off", b'{"data": {"items": [{"id": 1}]}', "it breaks off"),
            (
                "an answer that breaks off in what follows",
                b'{"data": {"items": [{"id": 1}], "a": [1, {',
                "Expecting property name",
            ),
            ("a word behind records", b'{"data": {"items": [{"id": 1}]}} trailing', "'t' follows where it should end"),
            ("two documents with records", b'{"data": {"items": []}}{"data": {}}', "'{' follows where it should end"),
            ("a comma too many behind records", b'{"data": {"items": []},}', "this is no JSON"),
            ("a comma too few behind records", b'{"data": {"items": []} "a": 1}', "',' expected"),
            ("a name that is none behind records", b'{"data": {"items": []}, 1: 2}', "a name is missing"),
        )
    ),
    Case(
        "what follows records is nested without end",
        "o.json",
        lambda: b'{"items": [{"id": 1}], "a": ' + b'{"a": ' * 1_000_000,
        ("nested too deeply",),
        {"records": "items"},
        heavy=True,
    ),
    Case(
        "a shape that changes",
        "o.json",
        lambda: b'[{"a": 1}, {"a": {"b": 1}}, {"a": [1]}]',
        ("2 problems", "record 2, column a: '{\"b\": 1}' is no bigint", "record 3, column a: '[1]' is no bigint"),
        {"columns": {"a": "bigint"}},
    ),
    Case(
        "a huge number",
        "o.json",
        lambda: b'[{"a": 1' + b"0" * 10_000 + b"}]",
        ("(10,001 characters) is no bigint",),
        {"columns": {"a": "bigint"}},
    ),
    Case("nested without end", "o.json", lambda: b"[" * 1_000_000, ("nested too deeply",), heavy=True),
    Case(
        "nested without end in a line", "o.ndjson", lambda: b'{"a":' * 1_000_000, ("line 1: it is nested too deeply",)
    ),
    Case(
        "a value of 50 MB",
        "o.json",
        lambda: b'[{"a": "' + b"x" * 50_000_000 + b'"}]',
        ("a value has more than 32 MiB",),
        heavy=True,
    ),
    Case(
        "names that are values",
        "o.json",
        _values_as_names,
        ("more than 10,000 columns", "are names values here?"),
    ),
    Case("a name that is empty", "o.json", lambda: b'[{"": 1}]', ("a column cannot be named ''",)),
    Case("csv that is called ndjson", "o.ndjson", lambda: b"id,name\n1,a\n", ("o.ndjson, line 1: this is no JSON",)),
]
ARCHIVES = [
    Case(
        "a gzip that breaks off",
        "o.csv.gz",
        lambda: gzip.compress(b"id\n1\n" * 10_000)[:-20],
        ("the archive breaks off",),
    ),
    Case(
        "a gzip with a wrong checksum",
        "o.csv.gz",
        lambda: _damaged(gzip.compress(b"id\n1\n"), -6),
        ("the archive is damaged: CRC check failed",),
    ),
    Case(
        "a gzip with something behind",
        "o.csv.gz",
        lambda: gzip.compress(b"id\n1\n") + b"<html>",
        ("archive is damaged",),
    ),
    Case(
        "a gzip of rubbish", "o.csv.gz", lambda: b"\x1f\x8b\x08\x00" + b"\xff" * 100, ("o.csv: the archive is damaged",)
    ),
    Case(
        "a bomb of gzip",
        "o.csv.gz",
        lambda: _bomb(1),
        ("it has more than 104,857,600 bytes", "'max_size'"),
        {"max_size": "100m"},
        heavy=True,
    ),
    Case(
        "a bomb of zip",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n" + b"0" * 200_000_000)),
        ("it has more than 104,857,600 bytes",),
        {"format": "csv", "max_size": "100m"},
        heavy=True,
    ),
    Case("a bomb that lies", "o.zip", _lying, ("the archive is damaged: Bad CRC-32",), {"format": "csv"}),
    Case(
        "a bomb in a bomb",
        "o.zip",
        lambda: _zipped(("a.zip", _zipped(("b.zip", b"x")))),
        ("an archive in an archive",),
        {"format": "csv"},
    ),
    Case(
        "gzip in gzip in gzip",
        "o.csv.gz",
        lambda: gzip.compress(gzip.compress(gzip.compress(b"id\n1\n"))),
        ("byte 0x8b is no utf-8",),
    ),
    Case(
        "a zip that breaks off",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n1\n"))[:-10],
        ("the archive is damaged",),
        {"format": "csv"},
    ),
    Case("a zip without files", "o.zip", _zipped, ("it has no file; it has none",), {"format": "csv"}),
    Case(
        "a member that is not there",
        "o.zip",
        lambda: _zipped(("a.txt", b"x")),
        ("no file like '*.csv'; it has 'a.txt'",),
        {"format": "csv", "member": "*.csv"},
    ),
    Case(
        "a path that leads up",
        "o.zip",
        lambda: _zipped(("../../etc/passwd", b"id\n1\n")),
        ("the name '../../etc/passwd' in it leads out of it",),
        {"format": "csv"},
    ),
    Case(
        "an absolute path",
        "o.zip",
        lambda: _zipped(("/etc/passwd", b"id\n1\n")),
        ("leads out of it",),
        {"format": "csv"},
    ),
    Case(
        "a path of Windows",
        "o.zip",
        lambda: _zipped(("..\\..\\a.csv", b"id\n1\n")),
        ("leads out of it",),
        {"format": "csv"},
    ),
    Case("a drive", "o.zip", lambda: _zipped(("C:a.csv", b"id\n1\n")), ("leads out of it",), {"format": "csv"}),
    Case(
        "a name with a line end",
        "o.zip",
        lambda: _zipped(("a\nb.csv", b"id\n1\n")),
        ("'a\\nb.csv' in it",),
        {"format": "csv"},
    ),
    Case(
        "a name twice",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n1\n"), ("a.csv", b"id\n2\n")),
        ("two files named 'a.csv'",),
        {"format": "csv"},
    ),
    Case("a password", "o.zip", _encrypted, ("'a.csv' in it is encrypted",), {"format": "csv"}),
    Case(
        "a readme beside the data",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n1\n"), ("b.txt", b"hello\n")),
        ("o.zip/b.txt: its columns are not those of the first: it has no 'id'; it also has 'hello'",),
        {"format": "csv"},
    ),
    Case(
        "a mistake in a member",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n1\n"), ("b.csv", b"id\nx\n")),
        ("o.zip/b.csv, line 2, column id: 'x' is no bigint",),
        {"format": "csv", "columns": {"id": "bigint"}},
    ),
]
BINARY = [
    Case("parquet that breaks off", "o.parquet", lambda: _parquet(pa.table({"a": [1]}))[:-8], ("this is no Parquet",)),
    Case("csv that is called parquet", "o.parquet", lambda: b"id\n1\n", ("this is no Parquet",)),
    Case(
        "parquet with a damaged page",
        "o.parquet",
        lambda: _damaged(_parquet(pa.table({"a": list(range(1000))})), 5),
        ("this is no Parquet",),
    ),
    Case("csv that is called xlsx", "o.xlsx", lambda: b"id\n1\n", ("this is no workbook",)),
    Case("a workbook that breaks off", "o.xlsx", lambda: _workbook(_sheet(["id"], [1]))()[:-50], ("o.xlsx",)),
    Case("a bomb of a workbook", "o.xlsx", _workbook_bomb, ("it has more than 268,435,456 bytes",), heavy=True),
    Case("an empty sheet", "o.xlsx", _workbook(_sheet()), ("the sheet is empty; not even a header is there",)),
    Case(
        "several sheets",
        "o.xlsx",
        _workbook(_sheet(["id"]), "One", "Two"),
        ("there are 2 sheets; there are 'One', 'Two'",),
    ),
    Case(
        "a sheet that is not there",
        "o.xlsx",
        _workbook(_sheet(["id"])),
        ("there is no sheet 'Plan'; there are 'Sheet1'",),
        {"sheet": "Plan"},
    ),
    Case(
        "a header with a gap",
        "o.xlsx",
        _workbook(_sheet(["id", None, "name"], [1, 2, 3])),
        ("row 1: column 2 has no name",),
    ),
    Case(
        "a cell beyond the header",
        "o.xlsx",
        _workbook(_sheet(["id"], [1, "x"])),
        ("row 2: 'x' stands beyond the last column",),
    ),
    Case(
        "a word in a sheet's number",
        "o.xlsx",
        _workbook(_sheet(["n"], [1], ["x"])),
        ("row 3, column n: 'x' is no integer",),
        {"columns": {"n": "integer"}},
    ),
]
BINARY += [
    Case(
        "formulas that went wrong",
        "o.xlsx",
        _workbook(_errors, "One & two's", "Sheet2"),
        (
            "2 problems",
            """o.xlsx, sheet "One & two's", cell A2: '#DIV/0!' is an error""",
            """o.xlsx, sheet "One & two's", cell A4: '#REF!' is an error""",
            "Correct its formula, or name what it shows in 'nulls'.",
        ),
        {"columns": {"a": "integer"}, "nulls": ["#N/A"], "sheet": "One & two's"},
    ),
    Case(
        "formulas that went wrong, in other words",
        "o.xlsx",
        _as_others_write_it,
        ("3 problems", "o.xlsx, sheet 'Sheet1', row 2: '#DIV/0!' is an error", "row 3: '#N/A'", "row 4: '#REF!'"),
    ),
    Case(
        "formulas that went wrong without a header",
        "o.xlsx",
        _workbook(_errors),
        ("3 problems", "cell A2", "cell A3", "cell A4"),
        {"header": False, "columns": {"x": "text", "y": "text"}},
    ),
]
BAD = [*ENCODINGS, *CSV, *VALUES, *JSON, *ARCHIVES, *BINARY]

ODD = [
    Odd("a mark of utf-8", "o.csv", _text("\ufeffid\n1\n"), [{"id": "1"}]),
    Odd("a mark of utf-8 in json", "o.json", _text('\ufeff[{"id": 1}]'), [{"id": "1"}]),
    Odd("utf-16 that is declared", "o.csv", _text("id\né\n", "utf-16"), [{"id": "é"}], {"encoding": "utf-16"}),
    Odd("windows-1252 that is declared", "o.csv", lambda: b"id\n\x80\n", [{"id": "€"}], {"encoding": "windows-1252"}),
    Odd("a header and no rows", "o.csv", _text("id"), []),
    Odd("empty lines", "o.csv", _text("\nid\n\n1\n\n"), [{"id": "1"}]),
    Odd("a missing and an empty text", "o.csv", _text('a,b\n,""\n'), [{"a": None, "b": ""}]),
    Odd("line ends and quotes in a field", "o.csv", _text('a\r\n"x\r\n""y"""\r\n'), [{"a": 'x\r\n"y"'}]),
    Odd(
        "words for what is missing",
        "o.csv",
        _text("n,t\nNA,NA\n-,x\n"),
        [{"n": None, "t": None}, {"n": None, "t": "x"}],
        {"nulls": ["NA", "-"], "columns": {"n": "integer"}},
    ),
    Odd(
        "a dialect",
        "o.csv",
        _text("two lines\nof words\n'a';'b'\n'it\\'s';1.234,5\n"),
        [{"a": "it's", "b": 1234.5}],
        {
            "skip": 2,
            "quote": "'",
            "escape": "\\",
            "delimiter": ";",
            "decimal": ",",
            "thousands": ".",
            "columns": {"b": "double"},
        },
    ),
    Odd("no quotes", "o.csv", _text('a\tb\n"x\t\n'), [{"a": '"x', "b": None}], {"quote": "", "delimiter": "\t"}),
    Odd(
        "no header",
        "o.csv",
        _text("1,a\n"),
        [{"id": 1, "name": "a"}],
        {"header": False, "columns": {"id": "bigint", "name": "text"}},
    ),
    Odd(
        "NaN in a double",
        "o.csv",
        _text("n\nInfinity\n-inf\n"),
        [{"n": float("inf")}, {"n": float("-inf")}],
        {"columns": {"n": "double"}},
    ),
    Odd(
        "an hour that clocks show twice, with its offset",
        "o.csv",
        _text("t\n2026-10-25T02:30:00+01:00\n"),
        [{"t": datetime.fromisoformat("2026-10-25T01:30:00+00:00")}],
        {"columns": {"t": "timestamptz"}, "timezone": "Europe/Paris"},
    ),
    Odd(
        "records of different shapes",
        "o.json",
        lambda: b'[{"a": 1}, {"b": [1.10, true, null, "x"]}, {}]',
        [{"a": "1", "b": None}, {"a": None, "b": '[1.10, true, null, "x"]'}, {"a": None, "b": None}],
    ),
    Odd(
        "numbers keep their digits",
        "o.json",
        lambda: b'[{"a": 1.10, "b": 1e400, "c": 12345678901234567890123}]',
        [{"a": "1.10", "b": "1e400", "c": "12345678901234567890123"}],
    ),
    Odd("one object", "o.json", lambda: b'{"data": {"id": 1}}', [{"id": "1"}], {"records": "data"}),
    Odd("an empty list", "o.json", lambda: b"[]", [], {"columns": {"id": "bigint"}}),
    Odd(
        "what comes behind the records",
        "o.json",
        lambda: b'{"a": [1, {"b": 2}], "items": [{"id": 1}], "z": "]"}',
        [{"id": "1"}],
        {"records": "items"},
    ),
    Odd(
        "a long list behind the records",
        "o.json",
        lambda: b'{"items": [{"id": 1}], "z": {"y": [' + b'{"b": [%s]},' % (b"1, " * 1000 + b"1") * 12_000 + b"0]}} ",
        [{"id": "1"}],
        {"records": "items"},
    ),
    Odd(
        "what systems put into archives",
        "o.zip",
        lambda: _zipped(("a.csv", b"id\n1\n"), ("__MACOSX/._a.csv", b"\0"), ("x/", b"")),
        [{"id": "1"}],
        {"format": "csv"},
    ),
    Odd(
        "a gzip of two parts",
        "o.csv.gz",
        lambda: gzip.compress(b"id\n1\n") + gzip.compress(b"2\n"),
        [{"id": "1"}, {"id": "2"}],
    ),
    Odd(
        "a workbook's values",
        "o.xlsx",
        _workbook(_sheet(["a", "b", "c", "d", "e"], [1, 2.5, True, datetime.fromisoformat("2026-01-31"), None], [])),
        [{"a": "1", "b": "2.5", "c": "true", "d": "2026-01-31", "e": None}],
    ),
    Odd(
        "errors of a workbook that are declared to be none",
        "o.xlsx",
        _workbook(_errors),
        [{"a": None, "b": None}] * 3,
        {"nulls": ["#DIV/0!", "#N/A", "#REF!"], "columns": {"a": "integer"}},
    ),
    Odd(
        "errors in another sheet of a workbook",
        "o.xlsx",
        _workbook(_errors, "Bad", "Good"),
        [{"a": None, "b": "#DIV/0!"}, {"a": None, "b": "#N/A"}, {"a": None, "b": "#REF!"}],
        {"sheet": "Good"},
    ),
    Odd(
        "errors in rows of a sheet that are skipped",
        "o.xlsx",
        _workbook(_errors),
        [],
        {"skip": 4, "header": False, "columns": {"x": "text"}},
    ),
    Odd(
        "a workbook in a zip",
        "o.zip",
        lambda: _zipped(("a.xlsx", _workbook(_sheet(["a"], [1]))())),
        [{"a": "1"}],
        {"format": "xlsx"},
    ),
]
