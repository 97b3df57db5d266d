"""`make new`: what it writes is a pipeline that is well and passes its own test, before anybody edits it."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import docker as docker_py
import pytest

from etl_contract import SpecError
from etl_platform import Broken, Pipeline, read_pipeline, read_pipelines
from etl_platform._cases import try_cases
from etl_platform._check import check
from etl_platform._new import Wish, write_pipeline
from etl_platform._settings import Settings
from tests._terminal import in_terminal

ROOT = Path(__file__).parents[2]
SOURCES = ["https://example.org/orders.csv", "orders/**/*.csv.gz", "source.orders", "s3://shop/orders/*.parquet"]
WISHES = [
    Wish("web", SOURCES[0], "pandas", ("id",)),
    Wish("inbox", SOURCES[1], "sql"),
    Wish("database", SOURCES[2], "none", ("Shop", "größe", "on")),
    Wish("bucket", SOURCES[3], "sql", ("Shop", "größe", "on")),
    Wish("selected", SOURCES[2], "pandas"),
    *(Wish(word, SOURCES[1], "sql") for word in ("order", "group", "table", "select", "user", "values", "analyse")),
]
# A platform that was never started: nothing is looked at.
ALONE = {**os.environ, "COMPOSE_PROJECT_NAME": "never-started"}


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "etl_platform", "new", *words, "--folder", str(folder)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=ALONE)


def test_only_a_word_of_sql_stands_in_quotes(tmp_path: Path) -> None:
    """What needs none reads as people write it."""
    for name in ("order", "orders"):
        write_pipeline(Wish(name, SOURCES[1], "sql"), tmp_path)

    assert "select distinct *\nfrom orders;" in (tmp_path / "orders.sql").read_text()
    assert 'create table "order" as\nselect distinct *\nfrom "order";' in (tmp_path / "order.sql").read_text()
    assert 'select count(*) from mart."order"' in (tmp_path / "order.yaml").read_text()


@pytest.mark.integration
def test_whatever_is_wished_is_well_and_passes_its_own_test(tmp_path: Path) -> None:
    """An author begins with something that works."""
    for wish in WISHES:
        write_pipeline(wish, tmp_path)
    settings = Settings.of_environment()._replace(project="never-started")

    with closing(docker_py.APIClient(base_url="unix:///var/run/docker.sock", version="auto")) as engine:
        read = check(read_pipelines(tmp_path), engine, settings)
        pipelines = [item for item in read if isinstance(item, Pipeline)]
        tried = [case for item in pipelines for case in try_cases(item, tmp_path, engine, settings)]

    assert [str(item) for item in read if isinstance(item, Broken)] == []
    assert [str(case) for case in tried if case.problems] == []
    assert len(tried) == len(WISHES)


def test_columns_and_rows_that_are_known_are_written(tmp_path: Path) -> None:
    """What the source has stands in the file and in the test."""
    columns = {"id": "bigint", "price (EUR)": "decimal(10,2)"}
    wish = Wish("orders", "https://example.org/orders.csv", columns=columns, rows=(("1", "2.50"),), known=True)

    write_pipeline(wish, tmp_path)

    pipeline = read_pipeline(tmp_path / "orders.yaml")
    assert isinstance(pipeline, Pipeline)
    assert pipeline.extract["orders"].columns == columns  # type: ignore[union-attr]
    assert (tmp_path / "tests/orders/first_day/given/orders.csv").read_text() == "id,price (EUR)\n1,2.50\n"


def test_it_waits_for_its_author(tmp_path: Path) -> None:
    """Airflow finds the file within seconds: what is half written does not run, and makes no table of wrong types."""
    write_pipeline(Wish("orders", "https://example.org/orders.csv"), tmp_path)

    pipeline = read_pipeline(tmp_path / "orders.yaml")

    assert isinstance(pipeline, Pipeline)
    assert pipeline.paused


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays as it is, and its neighbours are not written either."""
    (tmp_path / "orders.py").write_text("mine")

    with pytest.raises(SpecError, match=r"config/pipelines/orders\.py is there already"):
        write_pipeline(Wish("orders", "orders.csv"), tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["orders.py"]
    assert (tmp_path / "orders.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["Orders", "--from", "a.csv"], "error: 'Orders' is not a name of lower-case letters"),
        (["orders"], "error: it takes an address such as https://example.org/orders.csv"),
        (["orders", "--from", "a.csv", "--schedule", "daily"], "error: nothing was written: 'daily' is no cron"),
        (["orders", "--from", "a.csv", "--timezone", "Mars"], "error: nothing was written: there is no time zone"),
        (["orders", "--from", "/a.csv"], "error: nothing was written: '/a.csv' is absolute"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, words: list[str], problem: str) -> None:
    """A refusal says why, and its exit code is 2."""
    done = _command(tmp_path, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_program_reads_what_was_written_as_json(tmp_path: Path) -> None:
    """A script need not parse words."""
    done = _command(tmp_path, "orders", "--from", "source.orders", "--json")

    written = json.loads(done.stdout)["written"]
    assert done.returncode == 0
    assert done.stderr.startswith("looking at the source ...\nThe source was not looked at")
    assert "config/pipelines/orders.yaml" in written
    assert all((tmp_path / Path(name).relative_to("config/pipelines")).is_file() for name in written)


def _asked(folder: Path, *answers: tuple[str, bytes]) -> tuple[int, str]:
    command = [sys.executable, "-m", "etl_platform", "new", "orders", "--folder", str(folder)]
    return in_terminal(command, ALONE, *answers)


def test_a_terminal_is_asked_for_what_no_option_says(tmp_path: Path) -> None:
    """A newcomer needs no option; an empty answer is the default."""
    code, said = _asked(
        tmp_path,
        ("An address such as", b"source.orders\n"),
        ("What the transform is written in", b"\n"),
        ("The columns that name a row", b"shop, id\n"),
        ("When it runs", b"0 6 * * *\n"),
        ("The time zone", b"\n"),
    )

    assert code == 0, said
    pipeline = read_pipeline(tmp_path / "orders.yaml")
    assert isinstance(pipeline, Pipeline)
    assert (pipeline.schedule, pipeline.timezone) == ("0 6 * * *", "UTC")
    assert pipeline.load["orders"].key == ("shop", "id")
    assert (tmp_path / "orders.py").is_file()


def test_an_answer_that_is_none_is_asked_for_again(tmp_path: Path) -> None:
    """A pipeline has the transform that its author meant, and not silently none."""
    code, said = _asked(
        tmp_path,
        ("An address such as", b"source.orders\n"),
        ("What the transform is written in", b"python\n"),
        ("'python' is none of pandas, sql, none", b"SQL\n"),
        ("The columns that name a row", b"\n"),
        ("When it runs", b"\n"),
        ("The time zone", b"\n"),
    )

    assert code == 0, said
    assert (tmp_path / "orders.sql").is_file()


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [(b"\x04", 2, "error: a question was not answered, so nothing was written"), (b"\x03", 130, "stopped")],
    ids=["Ctrl-D", "Ctrl-C"],
)
def test_who_stops_at_a_question_reads_a_line(tmp_path: Path, typed: bytes, code: int, told: str) -> None:
    """No traceback, and nothing is written."""
    done, said = _asked(tmp_path, ("An address such as", b"source.orders\n"), ("What the transform", typed))

    assert done == code
    assert told in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
