"""`make try`, and what `make new` sees of a source: real stages over a real web server, and nothing is loaded."""

import json
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import date
from pathlib import Path

import docker as docker_py
import pytest

from etl_contract import DataError, StageError, Unavailable
from etl_platform import Pipeline, read_pipeline
from etl_platform._interval import local_day
from etl_platform._look import look, type_of
from etl_platform._new import Wish, write_pipeline
from etl_platform._settings import Settings
from etl_platform._shown import plain_trial, shown_trial
from etl_platform._try import Sample, Trial, try_pipeline
from tests._engine import OURS, docker, image, network

PROJECT = f"{OURS}-try"
ORDERS = """\
id,ordered_at,customer,amount
1,2026-01-31 09:12:00+01,Ada,19.90
2,2026-01-31 10:40:00+01,Grace,5.00
3,2026-01-31 11:05:00+01,,42.50
4,2026-01-31 11:05:00+01,Ada,7.25
"""
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
        serve = f"mkdir /tmp/w && cd /tmp/w && printf '{ORDERS}' >orders.csv && exec python -m http.server 8000"
        docker("run", "--detach", "--name", name, "--network", f"{PROJECT}_egress", "--network-alias", "shop",
               "--entrypoint", "sh", image("transform"), "-c", serve.replace("\n", "\\n"))  # fmt: skip
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

    with pytest.raises(DataError, match="customer"):
        _tried(wrong, engine, settings)
    with pytest.raises(Unavailable, match="extract: "):
        _tried(nobody, engine, settings)
    with pytest.raises(StageError, match="the platform is not running"):
        _tried(database, engine, settings)


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
