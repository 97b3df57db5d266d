"""Files for others: exact, whole or not at all, the same bytes for the same rows."""

import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from etl_contract import DataError, SpecError, Unavailable
from tests.load.exporting import Exporting

NOON = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
ROWS = pa.table(
    {
        "id": pa.array([1, 2, 2**62], pa.int64()),
        "name": ['Ada, "the" first\nline', "", None],
        "price": pa.array([Decimal("0.10"), Decimal("12345678901234567.89"), None], pa.decimal128(19, 2)),
        "share": [0.1, float("nan"), None],
        "ok": [True, False, None],
        "day": [date(2024, 2, 29), date(1, 1, 1), None],
        "at": pa.array([NOON, NOON + timedelta(microseconds=5), None], pa.timestamp("us", "America/New_York")),
        "clock": pa.array([time(1, 2, 3), time(1, 2, 3, 4), None], pa.time64("us")),
        "took": pa.array([timedelta(seconds=90), timedelta(0), None], pa.duration("us")),
        "raw": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "tags": [["a", "é"], [], None],
        "kind": pa.array(["x", "y", None]).dictionary_encode(),
    }
)
CSV = """\
id,name,price,share,ok,day,at,clock,took,raw,tags,kind
1,"Ada, ""the"" first
line",0.10,0.1,true,2024-02-29,2024-03-01T12:30:00Z,01:02:03,90,\\x00ff,"[""a"", ""é""]",x
2,"",12345678901234567.89,NaN,false,0001-01-01,2024-03-01T12:30:00.000005Z,01:02:03.000004,0,\\x,[],y
4611686018427387904,,,,,,,,,,,
"""
FORMATS = ["csv", "json", "ndjson", "parquet", "xlsx"]


def test_a_csv_is_exact(exporting: Exporting) -> None:
    """Every digit, every instant; an empty text is told from a missing one."""
    exporting.export(ROWS, {"format": "csv", "to": "orders/{start:%Y-%m-%d}.csv"})

    assert exporting.bytes("orders/2024-03-01.csv").decode() == CSV


def test_json_is_one_array_and_ndjson_an_object_a_line(exporting: Exporting) -> None:
    """Both say the same; numbers keep their digits, and what JSON has no word for is a text."""
    exporting.export(ROWS, {"format": "json", "to": "a.json"}, {"format": "ndjson", "to": "a.ndjson"})
    rows = json.loads(exporting.bytes("a.json"), parse_float=Decimal)
    lines = exporting.bytes("a.ndjson").decode().removesuffix("\n").split("\n")

    assert [json.loads(line, parse_float=Decimal) for line in lines] == rows
    assert rows[1] == {
        "id": 2,
        "name": "",
        "price": Decimal("12345678901234567.89"),
        "share": "NaN",
        "ok": False,
        "day": "0001-01-01",
        "at": "2024-03-01T12:30:00.000005Z",
        "clock": "01:02:03.000004",
        "took": 0,
        "raw": "\\x",
        "tags": [],
        "kind": "y",
    }
    assert rows[2] == dict.fromkeys(ROWS.column_names) | {"id": 2**62}


def test_parquet_keeps_rows_and_types(exporting: Exporting) -> None:
    """It is the dataset itself."""
    exporting.export(ROWS, {"format": "parquet", "to": "a.parquet"})

    found = pq.read_table(io.BytesIO(exporting.bytes("a.parquet")))

    assert found.schema.types == ROWS.schema.types
    assert found.drop("share").equals(ROWS.drop("share"))  # NaN equals nothing


def test_a_workbook_has_numbers_dates_and_texts(exporting: Exporting) -> None:
    """Instants are the pipeline's clock; what a spreadsheet cannot hold as a number is a text."""
    exporting.export(ROWS, {"format": "xlsx", "to": "a.xlsx"})
    header, first, second, third = _sheet(exporting, "a.xlsx")

    assert header == ROWS.column_names
    assert first[:7] == [
        1,
        'Ada, "the" first\nline',
        0.1,
        0.1,
        True,
        date(2024, 2, 29),
        NOON.replace(tzinfo=None, hour=7),
    ]
    assert second[2:4] == ["12345678901234567.89", "NaN"]
    assert second[5] == "0001-01-01"
    assert third[0] == str(2**62)


ENDS = [
    (pa.date32(), pa.int32()),
    (pa.timestamp("us"), pa.int64()),
    (pa.timestamp("us", "America/New_York"), pa.int64()),
    (pa.timestamp("ns"), pa.int64()),
]


@pytest.mark.parametrize(("arrow", "number"), ENDS, ids=str)
def test_endless_times_are_the_words_of_postgresql(
    exporting: Exporting, arrow: pa.DataType, number: pa.DataType
) -> None:
    """Arrow has the ends of a type for them: alone, as a kind of few, in a list."""
    most = 2 ** (number.bit_width - 1) - 1
    at = pa.array([most, -most, None], number).cast(arrow)
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3, 3], pa.int32()), at)
    rows = pa.table({"at": at, "kind": at.dictionary_encode(), "list": lists})
    exporting.export(rows, *({"format": form, "to": f"a.{form}"} for form in ("csv", "json", "xlsx")))

    words = [["infinity"] * 2, ["-infinity"] * 2, [None] * 2]
    assert exporting.bytes("a.csv").decode().splitlines()[1:] == [
        'infinity,infinity,"[""infinity"", ""-infinity""]"',
        "-infinity,-infinity,[null]",
        ",,[]",
    ]
    assert [[row["at"], row["kind"]] for row in json.loads(exporting.bytes("a.json"))] == words
    assert _sheet(exporting, "a.xlsx")[1:] == [
        ["infinity", "infinity", '["infinity", "-infinity"]'],
        ["-infinity", "-infinity", "[null]"],
        ["", "", "[]"],
    ]


def test_times_within_others_are_written_like_those(exporting: Exporting) -> None:
    """In lists and structs instants are in UTC, too."""
    at = pa.timestamp("us", "America/New_York")
    rows = pa.table(
        {
            "list": pa.array([[NOON, None], None, []], pa.list_(at)),
            "struct": pa.array([{"at": NOON, "n": 1}, None, {}], pa.struct([("at", at), ("n", pa.int8())])),
        }
    )
    exporting.export(rows, {"format": "json", "to": "a.json"})

    noon = "2024-03-01T12:30:00Z"
    assert json.loads(exporting.bytes("a.json")) == [
        {"list": [noon, None], "struct": {"at": noon, "n": 1}},
        {"list": None, "struct": None},
        {"list": [], "struct": {"at": None, "n": None}},
    ]


def test_what_a_clock_cannot_show_is_a_text_in_a_workbook(exporting: Exporting) -> None:
    """The first and the last instant that Python has are none in another time zone, and Arrow has later years."""
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
    later = pa.array([3_000_000, 3_000_000], pa.int32()).cast(pa.date32())
    rows = pa.table({"at": pa.array(ends, pa.timestamp("us", "UTC")), "day": later})
    exporting.export(rows, {"format": "xlsx", "to": "a.xlsx"})

    assert _sheet(exporting, "a.xlsx")[1:] == [
        ["0001-01-01T00:00:00Z", "10183-09-21"],
        [ends[1].replace(tzinfo=None, hour=18), "10183-09-21"],
    ]


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_year_that_has_no_text_is_refused(exporting: Exporting, form: str) -> None:
    """Arrow would write in words that it cannot."""
    rows = pa.table({"day": pa.array([12_000_000], pa.int32()).cast(pa.date32())})

    with pytest.raises(DataError, match="a date or a time is beyond the year 32,767") as told:
        exporting.export(rows, {"format": form, "to": "a"})

    assert exporting.listed() == []
    assert told.value.where == "export.orders"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"delimiter": ";", "decimal": ","}, b"n;t\n1,5;a;b\n"),
        ({"delimiter": "\t"}, b"n\tt\n1.5\ta;b\n"),
        ({"header": False}, b"1.5,a;b\n"),
        ({"bom": True}, b"\xef\xbb\xbfn,t\n1.5,a;b\n"),
    ],
    ids=["german", "tabs", "no header", "mark"],
)
def test_a_csv_is_as_its_reader_wants_it(exporting: Exporting, options: dict[str, Any], expected: bytes) -> None:
    """Delimiter, decimal sign, header, the mark that Excel wants."""
    exporting.export(pa.table({"n": [1.5], "t": ["a;b"]}), {"format": "csv", "to": "a.csv", **options})
    if options.get("delimiter") == ";":
        expected = b'n;t\n1,5;"a;b"\n'

    assert exporting.bytes("a.csv") == expected


def test_a_missing_value_has_the_word_that_is_wanted(exporting: Exporting) -> None:
    """A text that is the same word is quoted, so that they can be told apart."""
    exporting.export(
        pa.table({"a": ["NA", None, ""], "b": [1, None, 2]}), {"format": "csv", "to": "a.csv", "missing": "NA"}
    )

    assert exporting.bytes("a.csv") == b'a,b\n"NA",1\nNA,NA\n,2\n'


def test_formulas_are_defused_where_that_is_asked_for(exporting: Exporting) -> None:
    """A spreadsheet runs no text of ours; numbers stay numbers."""
    rows = pa.table({"text": ["=1+1", "+1", "-1", "@a", "\ta", "a=1"], "n": [-1] * 6})
    exporting.export(rows, {"format": "csv", "to": "a.csv", "escape_formulas": True}, {"format": "csv", "to": "b.csv"})

    assert exporting.bytes("a.csv").decode().splitlines()[1:] == [
        "'=1+1,-1",
        "'+1,-1",
        "'-1,-1",
        "'@a,-1",
        "'\ta,-1",
        "a=1,-1",
    ]
    assert exporting.bytes("b.csv").decode().splitlines()[1] == "=1+1,-1"


@pytest.mark.parametrize("rows", [0, 1, 8_192, 8_193, 20_001])
def test_every_row_is_there_once(exporting: Exporting, rows: int) -> None:
    """Whatever the size of a batch."""
    table = pa.table({"n": pa.array(range(rows), pa.int32()), "t": pa.array(["x"] * rows, pa.string())})
    exporting.export(table, *({"format": form, "to": f"a.{form}"} for form in FORMATS[:4]))
    lines = list(csv.DictReader(io.StringIO(exporting.bytes("a.csv").decode())))

    assert [int(line["n"]) for line in lines] == list(range(rows))
    assert [row["n"] for row in json.loads(exporting.bytes("a.json"))] == list(range(rows))
    assert exporting.bytes("a.ndjson").count(b"\n") == rows
    assert pq.read_table(io.BytesIO(exporting.bytes("a.parquet"))).equals(table)


@pytest.mark.parametrize("form", [*FORMATS, "csv.gz", "ndjson.gz"])
def test_the_same_rows_are_the_same_bytes(exporting: Exporting, form: str) -> None:
    """A run again replaces the file with its equal, and its manifest tells of the last run."""
    target = {"format": form.partition(".")[0], "to": f"a.{form}"}
    exporting.export(ROWS, target)
    before = exporting.bytes(f"a.{form}")
    (export,) = exporting.export(ROWS, target, run_id="manual__again")

    assert exporting.bytes(f"a.{form}") == before
    assert (export.bytes, export.sha256) == (len(before), hashlib.sha256(before).hexdigest())
    assert exporting.manifest(f"a.{form}")["run_id"] == "manual__again"
    assert exporting.listed() == [f"a.{form}", f"a.{form}.manifest.json"]


def test_a_name_that_ends_with_gz_is_compressed(exporting: Exporting) -> None:
    """And holds what the plain file holds."""
    exporting.export(ROWS, {"format": "csv", "to": "a.csv"}, {"format": "csv", "to": "a.csv.gz"})

    assert gzip.decompress(exporting.bytes("a.csv.gz")) == exporting.bytes("a.csv")


def test_a_manifest_tells_what_the_file_is(exporting: Exporting) -> None:
    """Who receives the file can check it, and knows what it is about."""
    exporting.export(pa.table({"n": [1, 2], "t": ["a", "b"]}), {"format": "csv", "to": "a.csv"})

    assert exporting.manifest("a.csv") == {
        "file": "a.csv",
        "format": "csv",
        "rows": 2,
        "bytes": 12,
        "sha256": hashlib.sha256(b"n,t\n1,a\n2,b\n").hexdigest(),
        "columns": [{"name": "n", "type": "int64"}, {"name": "t", "type": "string"}],
        "dataset": "orders",
        "interval": {"start": "2024-03-01T05:00:00Z", "end": "2024-03-02T05:00:00Z", "timezone": "America/New_York"},
        "pipeline": "shop",
        "run_id": "scheduled__2024-03-01",
    }


def test_what_is_not_published_leaves_the_old_file(exporting: Exporting) -> None:
    """A load that fails between changes no file, and leaves no trace."""
    exporting.export(pa.table({"n": [1]}), {"format": "csv", "to": "a.csv"})
    task = exporting.task(pa.table({"n": [2]}), {"format": "csv", "to": "a.csv"})
    before = exporting.listed()

    with pytest.raises(RuntimeError, match="the load failed"):
        exporting.failing(task)

    assert exporting.bytes("a.csv") == b"n\n1\n"
    assert exporting.listed() == before


def test_a_retry_mends_what_was_cut_off_between_a_file_and_its_manifest(exporting: Exporting) -> None:
    """Until then the manifest's checksum says that it is not of this file."""
    exporting.export(pa.table({"n": [1]}), {"format": "csv", "to": "a.csv"}, run_id="older")
    old = exporting.manifest("a.csv")
    task = exporting.task(pa.table({"n": [2]}), {"format": "csv", "to": "a.csv"})
    manifest = exporting.exports / "a.csv.manifest.json"
    manifest.rename(exporting.folder / "kept")
    manifest.mkdir()  # in the way

    with pytest.raises(Unavailable):
        exporting.run(task)
    manifest.rmdir()
    (exporting.folder / "kept").rename(manifest)

    assert exporting.bytes("a.csv") == b"n\n2\n"
    assert exporting.manifest("a.csv") == old
    assert old["sha256"] != hashlib.sha256(b"n\n2\n").hexdigest()

    exporting.run(task.model_copy(update={"try_number": 2}))

    assert exporting.bytes("a.csv") == b"n\n2\n"
    assert exporting.manifest("a.csv")["sha256"] == hashlib.sha256(b"n\n2\n").hexdigest()
    assert exporting.listed() == ["a.csv", "a.csv.manifest.json"]


def test_too_many_rows_for_a_workbook_are_refused(exporting: Exporting) -> None:
    """With the number of rows and the limit, before anything is written."""
    rows = pa.table({"n": pa.array(range(1_048_576), pa.int32())})

    with pytest.raises(DataError) as told:
        exporting.export(rows, {"format": "xlsx", "to": "a.xlsx"})

    assert str(told.value) == (
        "export.orders: 1,048,576 rows are too many: a sheet of xlsx takes 1,048,575 beside its header. "
        "Choose csv or parquet, or export less."
    )


def test_a_text_too_long_for_a_cell_is_refused(exporting: Exporting) -> None:
    """It is not cut in silence."""
    with pytest.raises(
        DataError, match=r"export.orders, row 1, column 't': a text of 40,000 characters: a cell of xlsx takes 32,767"
    ):
        exporting.export(pa.table({"t": ["x" * 40_000]}), {"format": "xlsx", "to": "a.xlsx"})

    assert exporting.listed() == []


def test_a_place_that_cannot_be_written_is_told(exporting: Exporting) -> None:
    """With the file, what the disk says, and what to look at."""
    exporting.exports.mkdir()
    (exporting.exports / "orders").write_text("a file where a folder should be")

    with pytest.raises(Unavailable) as told:
        exporting.export(ROWS, {"format": "csv", "to": "orders/a.csv"})

    assert "export.orders.to, file://" in str(told.value)
    assert "cannot be written: " in str(told.value)
    assert "Is there space left, and may user 10001 write there?" in str(told.value)


def test_a_dataset_that_is_not_there_and_a_file_that_is_taken_are_told_at_once(exporting: Exporting) -> None:
    """Both, with what was meant."""
    task = exporting.task(ROWS, {"format": "csv", "to": "a.csv"}, {"format": "json", "to": "a.csv"})
    (_, target), *_ = task.export
    task = task.model_copy(update={"export": (*task.export, ("order", target.model_copy(update={"to": "b.csv"})))})

    with pytest.raises(SpecError) as told:
        exporting.run(task)

    assert "two datasets go into file://" in str(told.value)
    assert "there is no dataset 'order'. Did you mean 'orders'? The transform gives: orders." in str(told.value)


def _sheet(exporting: Exporting, path: str) -> list[list[Any]]:
    rows: list[list[Any]] = (
        CalamineWorkbook.from_filelike(io.BytesIO(exporting.bytes(path))).get_sheet_by_index(0).to_python()
    )
    return rows
