"""Pipeline files as authors write them, and the problems they are told."""

from pathlib import Path
from textwrap import dedent

import pytest

from etl_contract import LoadMode, StageName
from etl_platform import Broken, Pipeline, read_pipeline, read_pipelines

GOOD = """\
    description: Orders of the shop
    schedule: "@daily"
    timezone: Europe/Paris
    extract:
      orders: {sql: source, table: orders}
    transform:
      pandas: orders.py:clean
    load:
      orders: {table: orders, mode: upsert, key: [id]}
"""
TWIN = "def clean(orders):\n    return {'orders': orders}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with the twin of a good pipeline."""
    (tmp_path / "orders.py").write_text(TWIN)
    return tmp_path


def _read(folder: Path, text: str) -> Pipeline | Broken:
    file = folder / "orders.yaml"
    file.write_text(dedent(text))
    return read_pipeline(file)


def _problems(folder: Path, text: str) -> list[str]:
    broken = _read(folder, text)
    assert isinstance(broken, Broken)
    return [str(problem) for problem in broken.problems]


def test_a_good_file_is_a_pipeline_with_its_twin(folder: Path) -> None:
    """The pipeline carries its own text and its twin's."""
    pipeline = _read(folder, GOOD)

    assert isinstance(pipeline, Pipeline)
    assert pipeline.name == "orders"
    assert pipeline.schedule == "0 0 * * *"
    assert pipeline.load["orders"].table == "mart.orders"
    assert pipeline.load["orders"].mode is LoadMode.upsert
    assert pipeline.files == {"orders.py": TWIN}
    assert pipeline.text == dedent(GOOD)
    assert pipeline.stages == (StageName.extract, StageName.transform, StageName.load)


def test_every_problem_is_told_at_once_by_line(folder: Path) -> None:
    """An author mends a file in one go."""
    text = """\
        extract:
          orders: {htpp: https://example.org}
          items: {sql: source}
        load:
          orders: {table: orders, mode: upsert}
          items: {table: items, mode: upsrt, keys: [id]}
        scheduel: "@daily"
        schedule: "61 * * * *"
        timezone: Mars
    """

    assert str(_read(folder, text)) == dedent("""\
        config/pipelines/orders.yaml has 8 problems:
          line 2, extract.orders: 'htpp' is not a source; did you mean 'http'?
          line 3, extract.items: give either 'table' or 'query', not both and not neither
          line 5, load.orders.key: required for mode 'upsert', but not there
          line 6, load.items.keys: no such field; did you mean 'key'?
          line 6, load.items.mode: 'upsrt' is none of 'append', 'replace', 'partition', 'upsert' \
or 'history'; did you mean 'upsert'?
          line 7, scheduel: no such field; did you mean 'schedule'?
          line 8, schedule: '61 * * * *' is no cron expression; write one such as '0 6 * * *', or @daily
          line 9, timezone: there is no time zone 'Mars'; write one such as America/New_York
          Every field is described in docs/pipelines.md. To check again: make check""")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("orders.py:clean", "order.py:clean", "there is no file 'order.py' beside it; did you mean 'orders.py'?"),
        ("orders.py:clean", "orders.py:claen", "orders.py has no function 'claen'; did you mean 'clean'?"),
        (
            "orders.py:clean",
            "../orders.py:clean",
            "'../orders.py:clean' is not a function of a file beside the pipeline, such as orders.py:clean",
        ),
        ("mode: upsert, key: [id]", "mode: partition", "required for mode 'partition', but not there"),
        ("key: [id]", "key: [id, id]", "names a column twice"),
        (
            "table: orders, mode",
            "table: Orders, mode",
            "'Orders' is not a table such as mart.orders: lower-case letters, digits and _",
        ),
        ("Europe/Paris", "../../etc/passwd", "there is no time zone '../../etc/passwd'"),
        ("extract:", "retries: -1\n    extract:", "greater than or equal to 0, not -1"),
        (
            "extract:",
            "limits: {transform: {memory: 1GB}}\n    extract:",
            "'1GB' is no size; write one such as 512m or 2g",
        ),
        ("extract:", "name: other\n    extract:", "no such field"),
        ("extract:", "timezone: UTC\n    extract:", "stands twice; first in line 3"),
        ("description: Orders", "description: 2026-13-40 #", "cannot be read"),
    ],
)
def test_a_problem_is_told_in_words_that_help(folder: Path, old: str, new: str, problem: str) -> None:
    """Each message says what is wrong, with the value, and where."""
    assert old in GOOD
    problems = _problems(folder, GOOD.replace(old, new))

    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: a pipeline is a mapping such as 'extract:', but this file is empty"),
        ("- a\n", "line 1: a pipeline is a mapping such as 'extract:', but this file is none"),
        ("a: [1\nb: 2\n", "line 2: this is no YAML: expected ',' or ']', but got ':'"),
        ("a: *nobody\n", "line 1: this is no YAML: found undefined alias 'nobody'"),
        ("a: !!python/object:os.system x\n", "cannot be read"),
    ],
)
def test_what_is_no_pipeline_at_all_is_told_with_its_line(folder: Path, text: str, problem: str) -> None:
    """Broken YAML is a problem like any other, and runs nothing."""
    assert problem in "\n".join(_problems(folder, text))


def test_a_twin_with_a_syntax_error_is_told_with_its_line(folder: Path) -> None:
    """The author learns of it before the run does."""
    (folder / "orders.py").write_text("def clean(orders):\n    return {\n")

    assert _problems(folder, GOOD) == ["line 7, transform.pandas: orders.py, line 2: '{' was never closed"]


def test_a_file_that_is_no_utf8_is_told(folder: Path) -> None:
    """Nobody guesses an encoding."""
    file = folder / "orders.yaml"
    file.write_bytes("description: Ca\xe9".encode("latin-1"))

    broken = read_pipeline(file)

    assert isinstance(broken, Broken)
    assert "save the file as UTF-8" in str(broken)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    """A file saved by Notepad works."""
    file = folder / "orders.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + dedent(GOOD).replace("\n", "\r\n").encode())

    assert isinstance(read_pipeline(file), Pipeline)


def test_a_bad_file_leaves_its_neighbours_alone(folder: Path) -> None:
    """Every file is read by itself."""
    (folder / "bad.yaml").write_text("a: [")
    (folder / "orders.yaml").write_text(dedent(GOOD))

    read = list(read_pipelines(folder))

    assert [type(item) for item in read] == [Broken, Pipeline]
    assert [item.name for item in read_pipelines(folder, only="orders")] == ["orders"]


def test_a_limit_that_is_left_out_keeps_the_stages_own(folder: Path) -> None:
    """Who gives transform more time does not take its memory."""
    pipeline = _read(folder, GOOD + "    limits: {transform: {minutes: 5}}\n")

    assert isinstance(pipeline, Pipeline)
    assert pipeline.limits.transform.minutes == 5
    assert pipeline.limits.transform.memory == "1g"
    assert pipeline.limits.load.memory == "512m"


def test_a_load_without_transform_takes_a_source(folder: Path) -> None:
    """Where nothing is transformed, what is loaded must be extracted."""
    text = GOOD.replace("    transform:\n      pandas: orders.py:clean\n", "").replace(
        "  orders: {table", "  order: {table"
    )

    assert _problems(folder, text) == ["line 6, load: 'order' is no source; did you mean 'orders'?"]


def test_our_own_pipelines_are_well() -> None:
    """What we ship has no problem."""
    shipped = list(read_pipelines(Path(__file__).parents[2] / "config" / "pipelines"))

    assert shipped
    assert [str(item) for item in shipped if isinstance(item, Broken)] == []
