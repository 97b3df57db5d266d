"""Pipelines' own tests, as `make pipeline-test` runs them: given rows, the real transform image, expected rows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import docker as docker_py
import pytest

from etl_platform import Pipeline, read_pipeline, read_pipelines
from etl_platform._cases import cases_of, try_cases
from etl_platform._settings import Settings

pytestmark = pytest.mark.integration
SHIPPED = Path(__file__).parents[2] / "config" / "pipelines"
PIPELINE = """\
    timezone: Europe/Paris
    params: {least: 0}
    extract:
      orders: {http: "https://example.org/orders.csv", columns: {id: bigint, price: "decimal(10,2)", at: timestamptz}}
      shops: {sql: source, table: shops}
    transform:
      pandas: orders.py:clean
    expect:
      orders:
        on_breach: quarantine
        tolerate: 1.0
        columns: {shop: {one_of: [Paris, Lyon]}}
    load: {orders: {table: orders, mode: append}}
"""
TWIN = """\
def clean(orders, shops, interval, params):
    print("a print is no answer")
    known = orders.merge(shops, on="shop", how="left")
    return {"orders": known[known["price"] >= params["least"]].assign(day=interval.first_day)}
"""
FILES = {
    "given/orders.csv": "id,price,at,shop\n1,10.00,2026-01-01 10:00:00+01,Paris\n2,0.10,2026-01-01 11:00:00+01,Lyon\n",
    "given/shops.csv": "shop,size\nParis,2.5\n",
    "expected/orders.csv": """\
day,id,price,at,size
2026-01-01,2,0.1,2026-01-01T10:00:00Z,
2026-01-01,1,10,2026-01-01 09:00:00+00,2.50
""",
}


@pytest.fixture
def engine() -> Iterator[docker_py.APIClient]:
    """Give the real Engine."""
    with closing(docker_py.APIClient(base_url="unix:///var/run/docker.sock", version="auto")) as client:
        yield client


def _write(folder: Path, *cases: dict[str, str], twin: str = TWIN) -> None:
    (folder / "orders.yaml").write_text(dedent(PIPELINE))
    (folder / "orders.py").write_text(twin)
    for number, files in enumerate(cases):
        for name, text in files.items():
            file = folder / "tests" / "orders" / f"case_{number:02}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def _tried(folder: Path, engine: docker_py.APIClient, *cases: dict[str, str], twin: str = TWIN) -> list[list[str]]:
    """Run cases of a pipeline; give what was wrong with each."""
    _write(folder, *cases, twin=twin)
    pipeline = read_pipeline(folder / "orders.yaml")
    assert isinstance(pipeline, Pipeline), str(pipeline)
    tried = {case.case: list(case.problems) for case in try_cases(pipeline, folder, engine, Settings.of_environment())}
    return [tried[name] for name in sorted(tried)]


def test_rows_are_compared_by_value_whatever_their_order(tmp_path: Path, engine: docker_py.APIClient) -> None:
    """A number, an instant and a missing value are what they mean, not how they are written; some columns will do."""
    assert _tried(tmp_path, engine, FILES) == [[]]


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        (
            {"expected/orders.csv": "id,price\n1,10\n2,0.2\n"},
            [
                "expected/orders.csv: 1 row expected, but not there",
                "  - 2, 0.20",
                "expected/orders.csv: 1 row there, but not expected",
                "  + 2, 0.10",
            ],
        ),
        ({"expected/orders.csv": "id\n1\n"}, ["expected/orders.csv: 1 row there, but not expected", "  + 2"]),
        ({"expected/orders.csv": "id\n1\n2\n2\n"}, ["expected/orders.csv: 1 row expected, but not there", "  - 2"]),
        ({"expected/orders.csv": "idd\n1\n"}, ["expected/orders.csv: there is no column 'idd'; did you mean 'id'?"]),
        (
            {"expected/order.csv": "id\n1\n"},
            ["expected/order.csv: there is no dataset 'order'; did you mean 'orders'?"],
        ),
        ({"expected/orders.csv": "id\none\n"}, ["expected/orders.csv: 'one' is no bigint, as id is"]),
        (
            {"given/orders.csv": FILES["given/orders.csv"].replace("Lyon", "Rome")},
            ["expected/orders.csv: 1 row expected, but not there"],
        ),
        ({"given/orders.csv": "id,price\nx,1\n"}, ["given/orders.csv cannot be read"]),
        ({"case.yaml": "dya: 2026-01-01\n"}, ["case.yaml, line 1, dya: no such field; did you mean 'day'?"]),
        ({"case.yaml": "params: {leats: 5}\n"}, ["case.yaml: the pipeline has no parameter 'leats'"]),
        ({"case.yaml": "day: 9999-12-31\n"}, ["a run cannot be about 9999-12-31, where the calendar ends"]),
        ({"case.yaml": "fails: too dear\n"}, ["it is expected to say 'too dear', but it does not fail"]),
    ],
)
def test_what_differs_is_told(
    tmp_path: Path, engine: docker_py.APIClient, changed: dict[str, str], problems: list[str]
) -> None:
    """An author sees which rows came and which did not, or what is wrong with the case."""
    (told,) = _tried(tmp_path, engine, FILES | changed)

    assert len(told) >= len(problems)
    assert all(line.startswith(problem) for line, problem in zip(told, problems, strict=False))


def test_day_parameters_types_and_failures_are_the_cases_own(tmp_path: Path, engine: docker_py.APIClient) -> None:
    """Each case says what its run is about, and one may expect that its rows are refused."""
    other_day = {**FILES, "case.yaml": "day: 2026-02-03\nparams: {least: 5}\n"}
    other_day["expected/orders.csv"] = "day,id\n2026-02-03,1\n"
    refused = {**FILES, "given/orders.csv": "id,cost,shop\n1,2,Paris\n", "case.yaml": "fails: KeyError\n"}
    typed = {**FILES, "case.yaml": "types: {shops: {size: text}}\n"}
    typed["expected/orders.csv"] = "id,size\n1,2.5\n2,\n"

    assert _tried(tmp_path, engine, other_day, refused, typed) == [[], [], []]


def test_rows_that_are_set_aside_are_expected_in_a_folder_of_their_own(
    tmp_path: Path, engine: docker_py.APIClient
) -> None:
    """Quarantined rows do not vanish from a test, either."""
    aside = {**FILES, "given/orders.csv": FILES["given/orders.csv"].replace("Lyon", "Rome")}
    aside["expected/orders.csv"] = "id\n1\n"

    silent, told = _tried(
        tmp_path, engine, aside, {**aside, "quarantined/orders.csv": "column_name,value\nshop,Rome\n"}
    )

    assert silent == ["1 rows of orders are set aside; if they should be, write quarantined/orders.csv"]
    assert told == []


@pytest.mark.parametrize(
    ("missing", "problem"),
    [("given/shops.csv", "there is no given/shops.csv"), ("expected/orders.csv", "nothing is expected")],
)
def test_a_case_without_its_files_is_no_success(
    tmp_path: Path, engine: docker_py.APIClient, missing: str, problem: str
) -> None:
    """What is forgotten is told."""
    (told,) = _tried(tmp_path, engine, {name: text for name, text in FILES.items() if name != missing})

    assert told[0].startswith(problem)


def test_many_cases_of_a_long_twin_are_run(tmp_path: Path, engine: docker_py.APIClient) -> None:
    """More than a process takes as variables at once; one that differs is told by its own name."""
    cases = [FILES] * 23
    cases[17] = FILES | {"expected/orders.csv": "id\n1\n"}

    told = _tried(tmp_path, engine, *cases, twin=TWIN + "# long\n" * 13_000)

    assert [number for number, problems in enumerate(told) if problems] == [17]
    assert len(told) == 23


@pytest.mark.parametrize(
    ("old", "new", "names", "code"),
    [
        ("", "", [], 0),
        ("1,10.00", "1,11.00", [], 1),
        ("", "", ["order"], 2),
        ("pandas: orders.py", "pandas: x.py", [], 2),
    ],
)
def test_a_script_reads_exit_codes_and_json(tmp_path: Path, *, old: str, new: str, names: list[str], code: int) -> None:
    """0 if all pass, 1 if one does not, 2 if they could not be run; each case with its problems."""
    _write(tmp_path, FILES)
    for file in (tmp_path / "orders.yaml", tmp_path / "tests/orders/case_00/given/orders.csv"):
        file.write_text(file.read_text().replace(old, new))
    command = [sys.executable, "-m", "etl_platform", "test", *names, "--json", "--folder", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == code, done.stderr
    if code == 2:
        assert done.stdout == ""
        assert done.stderr.startswith("\nerror: ")
        return
    (told,) = json.loads(done.stdout)
    assert (told["pipeline"], told["case"], bool(told["problems"])) == ("orders", "case_00", code == 1)


def test_a_folder_without_cases_is_no_success(tmp_path: Path) -> None:
    """Who forgot to write one reads where it would stand; people read a line a case, and how many passed."""
    command = [sys.executable, "-m", "etl_platform", "test", "--folder", str(tmp_path)]

    none = subprocess.run(command, capture_output=True, text=True, check=False)
    _write(tmp_path, FILES)
    one = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (none.returncode, none.stdout) == (2, "")
    assert "error: there is no case\n  where: config/pipelines/tests" in none.stderr
    assert (one.returncode, one.stdout) == (0, "passed  config/pipelines/tests/orders/case_00\n1 passed, 0 failed\n")


def test_the_cases_that_are_shipped_pass(engine: docker_py.APIClient) -> None:
    """The flights pipeline shows how it is done."""
    pipelines = [item for item in read_pipelines(SHIPPED) if isinstance(item, Pipeline)]
    tried = [case for item in pipelines for case in try_cases(item, SHIPPED, engine, Settings.of_environment())]

    assert {case.pipeline for case in tried} == {path.name for path in (SHIPPED / "tests").iterdir()}
    assert len(tried) == sum(len(cases_of(item, SHIPPED)) for item in pipelines)
    assert [str(case) for case in tried if case.problems] == []
