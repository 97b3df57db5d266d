"""`make try`, and what `make new` sees of a source: real stages over a real web server, and nothing is loaded."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import date
from pathlib import Path

import docker as docker_py
import pytest

from etl_contract import StageError
from etl_platform import Pipeline, read_pipeline
from etl_platform._interval import local_day
from etl_platform._look import look, type_of
from etl_platform._new import Wish, write_pipeline
from etl_platform._settings import Settings
from etl_platform._shown import plain_trial, shown_trial
from etl_platform._try import Sample, StageFailed, Trial, try_pipeline
from tests._engine import OURS, docker, image, network
from tests._terminal import in_terminal

PROJECT = f"{OURS}-try"
TRY = [sys.executable, "-m", "etl_platform", "try"]
HERE = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, "TERM": "xterm"}
ORDERS = """\
id,ordered_at,customer,amount
1,2026-01-31 09:12:00+01,Ada,19.90
2,2026-01-31 10:40:00+01,Grace,5.00
3,2026-01-31 11:05:00+01,,42.50
4,2026-01-31 11:05:00+01,Ada,7.25
"""
SERVER = """
from http.server import HTTPServer, SimpleHTTPRequestHandler
class Shop(SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503) if self.path == "/busy.csv" else super().do_GET()
HTTPServer(("", 8000), Shop).serve_forever()
"""
HUNGRY = "def clean(hungry):\n    return {'hungry': hungry.assign(name='x' * 10**9)}\n"
SHOWN = """\
orders: tried 2026-01-31; nothing is loaded
  extract    done    S s         4 rows in         4 rows out
  transform  done    S s         4 rows in         4 rows out

orders: 4 rows, would go into mart.orders by upsert
  id      ordered_at                 customer  amount
  bigint  timestamp with time zone   text      double precision
  1       2026-01-31 08:12:00+00:00  Ada       19.9
  2       2026-01-31 09:40:00+00:00  Grace     5.0
  3       2026-01-31 10:05:00+00:00            42.5
  ... and 1 more rows

  CREATE TABLE mart.orders (
      id bigint NOT NULL,
      ordered_at timestamp with time zone,
      customer text,
      amount double precision
  );

  ALTER TABLE mart.orders ADD PRIMARY KEY (id);

Checks
  well       orders: id not null"""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """Give the address of a web server on the way out of a platform that has nothing else."""
    with network(f"{PROJECT}_egress"):
        name = f"{PROJECT}_egress-shop"
        serve = 'mkdir /tmp/w && cd /tmp/w && printf %s "$1" >orders.csv && exec python -c "$2"'
        docker("run", "--detach", "--name", name, "--network", f"{PROJECT}_egress", "--network-alias", "shop",
               "--entrypoint", "sh", image("transform"), "-c", serve, "shop", ORDERS, SERVER)  # fmt: skip
        yield "http://shop:8000/orders.csv"


@pytest.fixture
def engine() -> Iterator[docker_py.APIClient]:
    """Give the real Engine."""
    with closing(docker_py.APIClient(base_url="unix:///var/run/docker.sock", version="auto")) as client:
        yield client


@pytest.fixture
def settings() -> Settings:
    """Name the platform that has only a way out."""
    return Settings.of_environment()._replace(project=PROJECT)


def _pipeline(folder: Path, wish: Wish) -> Pipeline:
    write_pipeline(wish, folder)
    pipeline = read_pipeline(folder / f"{wish.name}.yaml")
    assert isinstance(pipeline, Pipeline), str(pipeline)
    return pipeline


def _tried(pipeline: Pipeline, engine: docker_py.APIClient, settings: Settings, shown: int = 3) -> Trial:
    sample = Sample(date(2026, 1, 31), shown=shown)
    return try_pipeline(pipeline, sample, engine, settings, lambda _: nullcontext())


@pytest.mark.integration
def test_an_author_sees_what_would_be_loaded(
    tmp_path: Path, shop: str, engine: docker_py.APIClient, settings: Settings
) -> None:
    """A source is looked at, written down, and tried: first rows, types, checks and the table, and nothing is left."""
    before = {volume["Name"] for volume in engine.volumes()["Volumes"]}
    wish = look(Wish("orders", shop, key=("id",), timezone="Europe/Paris"), engine, settings)

    pipeline = _pipeline(tmp_path, wish)
    trial = _tried(pipeline, engine, settings)

    assert dict(wish.columns) == {"id": "bigint", "ordered_at": "timestamptz", "customer": "text", "amount": "double"}
    told = shown_trial(pipeline, trial)
    for result in trial.stages.values():
        told = told.replace(f"{result.seconds:6.1f} s", "S s", 1)
    assert told.replace("done    S", "done    S") == SHOWN
    assert json.loads(json.dumps(plain_trial(trial)))["datasets"][0]["first_rows"][1][2] == "Grace"
    assert {volume["Name"] for volume in engine.volumes()["Volumes"] if PROJECT in volume["Name"]} <= before


@pytest.mark.integration
def test_what_goes_wrong_is_told_as_a_run_would(
    tmp_path: Path, shop: str, engine: docker_py.APIClient, settings: Settings
) -> None:
    """A wrong type, a server that does not answer and a platform that does not run are told apart."""
    wrong = _pipeline(tmp_path, Wish("wrong", shop, columns={"customer": "bigint"}, rows=(("1",),)))
    nobody = _pipeline(tmp_path, Wish("nobody", "http://nobody.invalid/orders.csv"))
    database = _pipeline(tmp_path, Wish("database", "source.orders"))

    with pytest.raises(StageFailed, match="customer"):
        _tried(wrong, engine, settings)
    with pytest.raises(StageFailed, match="extract: "):
        _tried(nobody, engine, settings)
    with pytest.raises(StageError, match="the platform is not running"):
        _tried(database, engine, settings)


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*TRY, *words, "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=HERE)


@pytest.mark.integration
def test_a_program_reads_what_would_be_loaded_as_json(tmp_path: Path, shop: str) -> None:
    """Exit code 0, and on standard output nothing else; what is done meanwhile is told beside it."""
    _pipeline(tmp_path, Wish("orders", shop))

    done = _command(tmp_path, "orders", "--day", "2026-01-31", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["stages"]["transform"]["rows_out"] == 4
    assert [dataset["table"] for dataset in told["datasets"]] == ["mart.orders"]
    assert done.stderr == "extract ...\ntransform ...\npreview of load ...\n"


@pytest.mark.integration
def test_a_terminal_shows_what_is_done_in_a_line_that_goes(tmp_path: Path, shop: str) -> None:
    """It turns while a stage runs, and only what came of it stays."""
    _pipeline(tmp_path, Wish("orders", shop, language="none"))

    code, said = in_terminal([*TRY, "orders", "--day", "2026-01-31", "--folder", str(tmp_path)], HERE)

    assert code == 0, said
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)  # colours, and the way back to the line's beginning
    assert set(re.findall(r"(.) ([a-z ]+) \.\.\.", said)) >= {("⠋", "extract"), ("⠋", "preview of load")}
    assert not re.search(r"(?m)^extract \.\.\.", said)
    assert "orders: tried 2026-01-31" in said


@pytest.mark.integration
@pytest.mark.parametrize(
    ("name", "code", "problem"),
    [
        ("busy", 1, "error: extract: "),
        ("hungry", 1, "error: transform ended without a result\n  to do: It may have needed more memory than"),
        ("database", 2, "error: the platform is not running"),
    ],
)
def test_a_stage_that_fails_is_no_try_that_could_not_be(
    tmp_path: Path, shop: str, *, name: str, code: int, problem: str
) -> None:
    """1 says that something is wrong, also where a server is busy or memory ends; 2, that nobody knows."""
    _pipeline(tmp_path, Wish("busy", shop.replace("orders.csv", "busy.csv")))
    _pipeline(tmp_path, Wish("hungry", shop))
    (tmp_path / "hungry.py").write_text(HUNGRY)
    with (tmp_path / "hungry.yaml").open("a") as file:
        file.write("limits: {transform: {memory: 256m}}\n")
    _pipeline(tmp_path, Wish("database", "source.orders"))

    done = _command(tmp_path, name)

    assert (done.returncode, done.stdout) == (code, "")
    assert problem in done.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["order"], "there is no config/pipelines/order.yaml; did you mean 'orders'?"),
        (["orders", "--day", "9999-12-31"], "error: a run cannot be about 9999-12-31"),
        (["orders", "--day", "0001-01-01"], "error: a run cannot be about 0001-01-01"),
        (["orders", "--day", "yesterday"], "--day: 'yesterday' is no day; write one such as 2026-01-31"),
        (["orders", "--rows", "-5"], "--rows: '-5' is no number of rows; write one such as 100, or 0 for all"),
        (["orders", "--rows", "many"], "--rows: 'many' is no number of rows"),
    ],
)
def test_what_cannot_be_tried_is_told_in_a_line(tmp_path: Path, words: list[str], problem: str) -> None:
    """Without a traceback; the exit code is 2."""
    _pipeline(tmp_path, Wish("orders", "orders.csv"))

    done = _command(tmp_path, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wide_table_is_shown_a_column_a_line(tmp_path: Path) -> None:
    """It can be read in a terminal."""
    pipeline = _pipeline(tmp_path, Wish("orders", "orders.csv"))
    columns = [{"name": f"column_{number}", "type": "text"} for number in range(30)]
    described = {"dataset": "orders", "rows": 9, "columns": columns, "first_rows": [["long " * 20] * 30] * 5}
    nothing = {"table": None, "mode": None, "ddl": []}

    shown = shown_trial(pipeline, Trial(local_day(date(2026, 1, 31), "UTC"), {}, [described | nothing]))

    assert max(map(len, shown.splitlines())) < 120
    assert "\n  column_29  text  long long" in shown
    assert shown.endswith("\n  ... and 7 more rows")


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (["1", "-20", ""], "bigint"),
        (["1", "2.5"], "double"),
        (["007", "1"], "text"),
        (["12345678901234567890"], "double"),
        (["true", "false"], "boolean"),
        (["2026-01-31"], "date"),
        (["2026-01-31T10:00:00Z", "2026-01-31 10:00+01:00"], "timestamptz"),
        (["2026-01-31 10:00:00.5"], "timestamp"),
        (["2026-01-31", "x"], "text"),
        (["", ""], "text"),
        ([], "text"),
    ],
)
def test_a_type_is_what_all_values_could_be(values: list[str], written: str) -> None:
    """A guess that an author sees before anything depends on it."""
    assert type_of(values) == written
