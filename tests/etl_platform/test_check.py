"""What `make check` finds beside the fields of a file: SQL, twins, connections; with the real transform image."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import docker as docker_py
import pytest

from etl_platform import Broken, read_pipelines
from etl_platform._check import check
from etl_platform._settings import Settings
from tests._engine import OURS, docker, image

GOOD = """\
    extract:
      orders: {sql: source, table: orders, where: "day >= :start and day < :end"}
      items:
        sql: source
        query: |
          select *
          from items
    transform:
      - sql:
          daily: select day, count(*) as orders from orders group by day
      - pandas: orders.py:clean
    load: {orders: {table: orders, mode: append}}
    visualize:
      title: Orders
      figures: [{label: Orders, sql: select count(*) from mart.orders, compare: select 1}]
      charts: [{title: A, sql: "select day, orders from mart.orders", mark: line, encoding: {x: day}}]
      tables: [{title: B, sql: "select * from mart.orders where day = :first_day"}]
"""
TWIN = "import pandas as pd\n\n\ndef clean(daily, items, interval):\n    return {'orders': daily}\n"
NED = "line 10, transform.1.sql.daily: no value for :ned. There are :end, :first_day, :last_day, :start. "
NED += "Did you mean ':end'?"
ITMES = "line 10, transform: orders.py, line 4: clean takes 'itmes', but no source has that name. "
ITMES += "There are: orders, items, daily. Did you mean 'items'?"


@pytest.fixture
def settings() -> Settings:
    """Name the images under test, and an installation that was never started."""
    return Settings.of_environment()._replace(project=f"{OURS}-check")


@pytest.fixture
def engine() -> Iterator[docker_py.APIClient]:
    """Give the real Engine."""
    with closing(docker_py.APIClient(base_url="unix:///var/run/docker.sock", version="auto")) as client:
        yield client


def _problems(folder: Path, text: str, twin: str, engine: docker_py.APIClient | None, settings: Settings) -> list[str]:
    (folder / "orders.yaml").write_text(dedent(text))
    (folder / "orders.py").write_text(twin)
    (item,) = check(read_pipelines(folder), engine, settings)
    return [str(problem) for problem in item.problems] if isinstance(item, Broken) else []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (":start and", ":start adn", "line 2, extract.orders.where: this is no SQL at 'adn'; did you mean 'and'?"),
        ("from items", "form items", "line 7, extract.items.query: this is no SQL at 'items'; did you mean 'from'?"),
        (
            "from items",
            "from items where name = 'x",
            "line 6, extract.items.query: this is no SQL: a quote or a comment is not closed",
        ),
        ("from items", "from items; select 1", "line 6, extract.items.query: these are 2 statements; write one"),
        ("select 1", "slect 1", "line 15, visualize.figures.1.compare: this is no SQL at '1'; did you mean 'select'?"),
        ("orders from mart", "orders frm mart", "line 16, visualize.charts.1.sql: this is no SQL at"),
        (
            "where day =",
            "were day =",
            "line 17, visualize.tables.1.sql: this is no SQL at 'day'; did you mean 'where'?",
        ),
    ],
)
def test_what_no_database_would_take_is_told_by_line(
    tmp_path: Path, settings: Settings, *, old: str, new: str, problem: str
) -> None:
    """A mistake in SQL shows before a run, and what was probably meant."""
    assert _problems(tmp_path, GOOD, TWIN, None, settings) == []
    assert old in GOOD

    (told,) = _problems(tmp_path, GOOD.replace(old, new), TWIN, None, settings)

    assert told.startswith(problem)


@pytest.mark.parametrize(
    "query",
    [
        "select a #>> '{b,c}', d @> e, f ? 'g' from h where i ~* 'x' and j is not distinct from k",
        "select distinct on (a) * from b for update skip locked",
        "select * from json_to_recordset('[]') as x(a int, b text)",
        "select percentile_cont(0.5) within group (order by a) filter (where b) over w from c window w as ()",
        "with recursive t as (values (1) union select 2) select * from t, lateral (select 1) u fetch first row only",
        "select a[1:2], :start::date, e'a\\\\n', $$x$$ from b tablesample bernoulli (10)",
        "select `order` from `shop` use index (x) limit 5, 10",
        "select group_concat(a separator ',') from b where c >= :start - interval 1 day",
    ],
)
def test_what_some_database_takes_is_no_mistake(tmp_path: Path, settings: Settings, query: str) -> None:
    """PostgreSQL's and MySQL's own words are known."""
    text = GOOD.replace("          select *\n          from items\n", f"          {query}\n")

    assert _problems(tmp_path, text, TWIN, None, settings) == []


@pytest.mark.parametrize(
    ("text", "names", "code"),
    [(GOOD, [], 0), (GOOD.replace("mode: append", "mode: apend"), ["orders"], 1), (GOOD, ["ordres"], 2)],
)
def test_a_script_reads_exit_codes_and_json(tmp_path: Path, text: str, names: list[str], code: int) -> None:
    """0 is well, 1 has problems, 2 could not be found out; each problem has its line and path."""
    (tmp_path / "orders.yaml").write_text(dedent(text))
    (tmp_path / "orders.py").write_text(TWIN)
    command = [sys.executable, "-m", "etl_platform", "check", *names, "--texts-only", "--json"]

    done = subprocess.run([*command, "--folder", str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == code
    if code == 2:
        assert "there is no config/pipelines/ordres.yaml; did you mean 'orders'?" in done.stderr
        return
    (told,) = json.loads(done.stdout)
    assert told["file"] == "config/pipelines/orders.yaml"
    assert [(each["line"], each["path"]) for each in told["problems"]] == [(12, ["load", "orders", "mode"])] * code


@pytest.mark.parametrize("command", ["check", "new", "test", "try", "run", "replay", "schema", "reference"])
def test_every_command_explains_itself(command: str) -> None:
    """Nobody needs the source to find out what there is."""
    words = [sys.executable, "-m", "etl_platform", command, "--help"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: python -m etl_platform {command}")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "twin", "problems"),
    [
        (GOOD, TWIN, []),
        (
            GOOD,
            TWIN.replace("pandas", "pandass"),
            ["line 10, transform: orders.py, line 1: ModuleNotFoundError: No module named 'pandass'"],
        ),
        (
            GOOD,
            TWIN.replace("items", "itmes"),
            [ITMES],
        ),
        (GOOD, "1 / 0\n" + TWIN, ["line 10, transform: orders.py, line 1: ZeroDivisionError: division by zero"]),
        (
            GOOD.replace("count(*) as", "count(* as"),
            TWIN,
            ['line 10, transform.1.sql.daily: syntax error at or near "as". Correct the query.'],
        ),
        (
            GOOD.replace("group by day", "where day < :ned"),
            TWIN,
            [NED],
        ),
        (
            GOOD.replace("count(*) as", "count(* as").replace("group by day", "\n          more: slect 1"),
            "import nothing\n" + TWIN,
            [
                'line 10, transform.1.sql.daily: syntax error at or near "as". Correct the query.',
                "line 10, transform: orders.py, line 1: ModuleNotFoundError: No module named 'nothing'",
                'line 11, transform.1.sql.more: syntax error at or near "slect". Correct the query.',
            ],
        ),
        (
            GOOD.replace("from items", "form items"),
            "import nothing\n" + TWIN,
            [
                "line 7, extract.items.query: this is no SQL at 'items'; did you mean 'from'?",
                "line 10, transform: orders.py, line 1: ModuleNotFoundError: No module named 'nothing'",
            ],
        ),
    ],
    ids=["well", "import", "dataset", "raises", "syntax", "name", "several", "both"],
)
def test_the_transform_image_tries_twins_and_sql(  # noqa: PLR0913 - a case, and fixtures
    tmp_path: Path, engine: docker_py.APIClient, settings: Settings, *, text: str, twin: str, problems: list[str]
) -> None:
    """A twin is imported as it will be, and DuckDB reads its SQL, without any row; all of a file is told at once."""
    told = _problems(tmp_path, text, twin, engine, settings)

    assert sorted(told) == sorted(problems)


@pytest.mark.integration
def test_a_print_of_a_twin_is_no_answer_and_neighbours_are_left_alone(
    tmp_path: Path, engine: docker_py.APIClient, settings: Settings
) -> None:
    """Many files are tried at once, and each answer is its own."""
    for number in range(20):
        text = dedent(GOOD).replace("orders.py", f"orders{number}.py")
        (tmp_path / f"orders{number}.yaml").write_text(text)
        (tmp_path / f"orders{number}.py").write_text(
            "print('::etl-result x {}')\n" + TWIN + ("1 / 0\n" * (number == 17))
        )

    read = check(read_pipelines(tmp_path), engine, settings)

    assert [item.name for item in read if isinstance(item, Broken)] == ["orders17"]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("made", "problems"),
    [
        (
            "connections/source connections/shop",
            ["line 2, extract.orders: there is no connection 'sorce'; did you mean 'source'?"],
        ),
        ("stages", []),
    ],
    ids=["started", "never started to its end"],
)
def test_a_connection_that_is_not_there_is_told(
    tmp_path: Path, engine: docker_py.APIClient, settings: Settings, *, made: str, problems: list[str]
) -> None:
    """Where the platform was started once, its connections are known by name."""
    volume = f"{settings.project}_secrets"
    docker("volume", "create", volume)
    try:
        docker("run", "--rm", "--user", "0:0", "--volume", f"{volume}:/secrets", "--workdir", "/secrets",
               "--entrypoint", "mkdir", image("transform"), "-p", *made.split())  # fmt: skip

        told = _problems(tmp_path, GOOD.replace("sql: source, table", "sql: sorce, table"), TWIN, engine, settings)
    finally:
        docker("volume", "rm", volume)

    assert told == problems
