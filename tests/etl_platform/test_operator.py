"""How a stage can end: what its task's log says last, what Airflow does next, and what stands in etl.stage_runs.

Each stage runs in its real image on the real Engine, and its line is written into a real warehouse.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import structlog
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.timeout import timeout
from docker import APIClient
from docker.errors import APIError

from etl_contract import Outcome, StageName, StageResult
from etl_contract.parquet import writing
from etl_platform import Pipeline, read_pipeline, run_folder
from etl_platform._container import StageContainer
from etl_platform._operator import StageOperator
from etl_platform._settings import Settings
from tests._engine import docker, image
from tests.docker_guard.real_engine import SOCKET, files
from tests.docker_guard.running import RunningGuard
from tests.docker_guard.running import settings as guard_settings
from tests.docker_guard.wishes import INSTALLATION, Wishes
from tests.load.warehouse import Warehouse, running_warehouse

pytestmark = pytest.mark.integration

YAML = """\
extract:
  orders: {{sql: source, table: orders}}
transform:
  pandas: orders.py:change
{expect}
load:
  orders: {{table: mart.orders, mode: replace}}
limits: {{transform: {{memory: {memory}, minutes: 5}}}}
"""
RULE = "expect: {orders: {columns: {id: {in_range: [1, 2]}}}}"
PATIENCE = 300  # seconds: a machine that is busy starts containers slowly


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    """Start a warehouse with the product's roles and tables."""
    with running_warehouse() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[APIClient]:
    """Give the Engine, which has the stages' images."""
    for stage in ("extract", "transform"):
        try:
            docker("image", "inspect", image(stage))
        except RuntimeError:
            pytest.skip(f"needs the image {image(stage)}; docker compose build makes it")
    client = APIClient(version="1.45")
    yield client
    client.close()


class Desk:
    """Runs stages of one pipeline as a task of Airflow does.

    Attributes:
        run_id: the run, another for each test.
        said: the events of the task's log.
        pulled: what the stage before left.
    """

    def __init__(self, settings: Settings, pipelines: Path, runs: Path, warehouse: Warehouse) -> None:
        self.settings = settings
        self.run_id = f"manual__{secrets.token_hex(4)}"
        self.said: list[dict[str, Any]] = []
        self.try_number = 1
        self._pipelines = pipelines
        self._warehouse = warehouse
        folder = runs / "orders" / run_folder(self.run_id)
        folder.mkdir(parents=True)
        for one in (folder.parent, folder):
            one.chmod(0o777)
        with writing(f"{folder.as_uri()}/extract", "orders", pa.schema({"id": pa.int64()})) as writer:
            writer.write(pa.table({"id": [1, 2, 3]}))
            written = writer.finish()
        self.dataset = written.model_copy(update={"uri": written.uri.replace(str(runs), "/runs")})

    def pipeline(self, body: str = "return {'orders': orders}", expect: str = "", memory: str = "512m") -> Pipeline:
        """Write the pipeline, with what its function does."""
        (self._pipelines / "orders.yaml").write_text(YAML.format(expect=expect, memory=memory))
        (self._pipelines / "orders.py").write_text(f"def change(orders):\n    {body}\n")
        pipeline = read_pipeline(self._pipelines / "orders.yaml")
        assert isinstance(pipeline, Pipeline), str(pipeline)
        return pipeline

    def run(self, pipeline: Pipeline, stage: StageName = StageName.transform, seconds: float = PATIENCE) -> StageResult:
        """Run a stage; Airflow's own alarm rings after so many seconds."""
        operator = StageOperator(task_id=stage.value, stage=stage, pipeline=pipeline, settings=self.settings)
        extracted = StageResult(outcome=Outcome.done, datasets=(self.dataset,)).model_dump(mode="json")
        context = {
            "dag_run": SimpleNamespace(
                run_id=self.run_id,
                run_type="manual",
                data_interval_start=datetime(2026, 1, 1, tzinfo=UTC),
                data_interval_end=datetime(2026, 1, 2, tzinfo=UTC),
                run_after=datetime(2026, 1, 2, tzinfo=UTC),
            ),
            "ti": SimpleNamespace(try_number=self.try_number, map_index=-1, xcom_pull=lambda **_: extracted),
            "params": {},
        }
        token = ExecutorSafeguard.tracker.set(operator)
        try:
            with structlog.testing.capture_logs() as self.said, timeout(seconds):
                return StageResult.model_validate(operator.execute(context))  # type: ignore[arg-type]  # as far as it looks
        finally:
            ExecutorSafeguard.tracker.reset(token)

    def fails(self, pipeline: Pipeline, stage: StageName = StageName.transform, seconds: float = PATIENCE) -> Exception:
        """Run a stage that does not end well; give what Airflow writes last into the task's log."""
        with pytest.raises(AirflowException) as caught:
            self.run(pipeline, stage, seconds)
        # Airflow prints what an exception came from below it, where the last words should be ours.
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return caught.value

    @property
    def line(self) -> dict[str, Any]:
        """Give the line that the try left in the book."""
        (line,) = self.lines
        return line

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Give the lines that the run left in the book."""
        query = "select to_jsonb(r) from etl.stage_runs r where run_id = %s order by try_number"
        return [line for (line,) in self._warehouse.sql(query, self.run_id)]


@pytest.fixture
def desk(client: APIClient, warehouse: Warehouse, tmp_path: Path) -> Iterator[Desk]:
    """Give a place to run stages at: volumes, networks and secrets of its own, which are removed in the end."""
    project = f"etl-operator-test-{secrets.token_hex(3)}"
    runs, pipelines = tmp_path / "runs", tmp_path / "pipelines"
    for folder in (runs, pipelines):
        folder.mkdir()
        folder.chmod(0o777)
    (tmp_path / "recorder_uri").write_text(warehouse.uri("recorder"))
    client.create_volume(
        f"{project}_runs", driver="local", driver_opts={"type": "none", "o": "bind", "device": str(runs)}
    )
    network = client.create_network(f"{project}_data", internal=True)["Id"]
    tag = image("transform").rpartition(":")[2]
    settings = Settings(project, tag, INSTALLATION, "unix:///var/run/docker.sock", pipelines, tmp_path / "recorder_uri")
    try:
        yield Desk(settings, pipelines, runs, warehouse)
    finally:
        left = client.containers(all=True, filters={"name": f"^/{project}-"})
        for container in left:
            client.remove_container(container["Id"], force=True, v=True)
        client.remove_network(network)
        with _as_root(tmp_path):
            for volume in client.volumes(filters={"name": project})["Volumes"] or []:
                client.remove_volume(volume["Name"])
    assert left == [], "a stage left its container"


@contextmanager
def _as_root(folder: Path) -> Iterator[None]:
    """Remove what the images' user made in a folder."""
    yield
    clean = ["--entrypoint", "sh", image("transform"), "-c", "rm -rf /runs/runs/orders"]
    docker("run", "--rm", "--user", "0", "-v", f"{folder}:/runs", *clean)


def _last_words(error: Exception) -> list[str]:
    """Give the lines of a message."""
    return str(error).splitlines()


def test_a_stage_that_is_done_says_so_and_is_in_the_book(desk: Desk) -> None:
    """The log's last line has rows, bytes and seconds; the book has what it took, beside its limits."""
    result = desk.run(desk.pipeline())

    last = desk.said[-1]
    assert (last["event"], last["rows"], last["log_level"]) == ("transform is done", 3, "info")
    assert {"bytes", "seconds", "peak_memory"} <= last.keys()
    line = desk.line
    assert (line["pipeline"], line["stage"], line["try_number"], line["map_index"]) == ("orders", "transform", 1, -1)
    assert (line["state"], line["error"], line["exit_code"]) == ("success", None, 0)
    assert (line["rows_in"], line["rows_out"], line["rows_quarantined"]) == (3, 3, 0)
    assert (line["bytes_in"], line["bytes_out"]) == (desk.dataset.bytes, result.bytes_out)
    assert line["memory_limit"] == 512 * 1024**2 > line["peak_memory"] == result.peak_memory > 0
    assert (line["cpus"], line["minutes"], line["cpu_seconds"]) == (1, 5, result.cpu_seconds)
    assert line["image"] == image("transform")
    assert datetime.fromisoformat(line["interval_end"]) - datetime.fromisoformat(line["interval_start"]) == timedelta(1)
    assert 0 < result.seconds <= line["seconds"] < PATIENCE


# Name: what the pipeline is, the kind of exception, and of its lines the beginnings; then the book's state and error.
ENDINGS = {
    "an author's mistake": (
        {"body": "return {'orders': orders[['idd']]}"},
        AirflowFailException,
        ["SpecError: KeyError", "  where: config/pipelines/orders.py, line 2, in change", "  next:  The way to it:"],
        ("failed", "SpecError"),
    ),
    "rows that are wrong": (
        {"expect": RULE},
        AirflowFailException,
        ["DataError: ", "  where: ", "  next:  "],
        ("failed", "DataError"),
    ),
    "something that is not there now": (
        {"body": "from etl_contract import Unavailable; raise Unavailable('busy', where='here', hint='Wait.')"},
        AirflowException,
        ["Unavailable: busy", "  where: here", "  next:  Wait."],
        ("failed", "Unavailable"),
    ),
    "too little memory": (
        {"body": "x = bytearray(600 * 1024**2); return {'orders': orders}", "memory": "192m"},
        AirflowFailException,
        [
            "OutOfMemory: The stage reached its memory limit of 192m and was killed",
            "  where: config/pipelines/orders.yaml, limits.transform.memory",
            "  next:  A new try would end the same way. Give it more, limits: {transform: {memory: 384m}}",
        ],
        ("out_of_memory", "OutOfMemory"),
    ),
    "a kill": (
        {"body": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"},
        AirflowException,
        ["Killed: The container ended with exit code 137 and no result: it was killed", "  next:  It is tried again."],
        ("killed", "Killed"),
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_failing_stage_ends_with_problem_place_and_hint(desk: Desk, name: str) -> None:
    """The exception is the last that a task's log shows; it is in our words, and retried only where that can help."""
    given, kind, words, book = ENDINGS[name]

    error = desk.fails(desk.pipeline(**given))

    assert type(error) is kind
    said = _last_words(error)
    first = next(number for number, line in enumerate(said) if line.startswith("  ") and not line.startswith("   "))
    shown = [said[0], *said[first:]][: len(words)]
    assert [line[: len(word)] for line, word in zip(shown, words, strict=True)] == words
    line = desk.line
    assert (line["state"], line["error"]) == book
    assert (line["rows_in"], line["rows_out"], line["bytes_out"]) == (None, None, None)
    assert line["seconds"] > 0
    assert line["started_at"] < line["ended_at"]


def test_what_the_engine_knows_of_a_killed_stage_is_in_the_book(desk: Desk) -> None:
    """Of one that was killed for its memory the peak is the limit; what it computed died with it."""
    given, *_ = ENDINGS["too little memory"]

    desk.fails(desk.pipeline(**given))

    line = desk.line
    assert line["peak_memory"] == line["memory_limit"] == 192 * 1024**2
    assert (line["exit_code"], line["cpu_seconds"]) == (137, None)


def test_a_stage_that_takes_too_long_is_stopped_and_says_so(desk: Desk) -> None:
    """Instead of Airflow's own words there are the limit, its place, and what to do; the stage is tried again."""
    error = desk.fails(desk.pipeline(body="import time; time.sleep(60)"), seconds=8)

    assert type(error) is AirflowException
    assert _last_words(error) == [
        "TimedOut: The stage took longer than its limit of 5 minutes and was stopped",
        "  where: config/pipelines/orders.yaml, limits.transform.minutes",
        "  next:  It is tried again. If it is meant to take so long, give it more: limits: {transform: {minutes: 10}}",
    ]
    line = desk.line
    assert (line["state"], line["error"], line["exit_code"], line["minutes"]) == ("timed_out", "TimedOut", None, 5)
    assert 2 < line["seconds"] < 15


def test_a_stage_with_nothing_to_do_is_skipped_and_in_the_book(desk: Desk) -> None:
    """It is no failure, and what it took is known."""
    body = "from etl_contract import NothingToDo; raise NothingToDo('no rows', where='orders')"

    error = desk.fails(desk.pipeline(body=body))

    assert isinstance(error, AirflowSkipException)
    assert _last_words(error) == ["NothingToDo: no rows", "  where: orders"]
    assert (desk.line["state"], desk.line["error"]) == ("skipped", "NothingToDo")
    assert desk.line["peak_memory"] > 0


def test_a_container_that_cannot_be_removed_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that is done is done, and the log tells what is left behind."""
    remove = StageContainer.remove

    def refused(container: StageContainer) -> None:
        remove(container)
        raise APIError("500 Server Error", explanation="device or resource busy")

    monkeypatch.setattr(StageContainer, "remove", refused)

    assert desk.run(desk.pipeline()).rows_out == 3

    left = next(line for line in desk.said if line["log_level"] == "warning")
    assert left["event"] == "The stage's container is left behind, which changes nothing else"
    assert "device or resource busy" in left["reason"]
    assert desk.line["state"] == "success"


def test_an_image_that_is_not_there_says_how_it_is_built(desk: Desk) -> None:
    """No try can help; the book says that nothing was started."""
    desk.settings = desk.settings._replace(tag="not-there")

    error = desk.fails(desk.pipeline())

    assert type(error) is AirflowFailException
    assert _last_words(error) == [
        "NotStarted: There is no image etl-platform/transform:not-there",
        "  next:  Build it: make up",
    ]
    assert (desk.line["state"], desk.line["error"], desk.line["peak_memory"]) == ("failed", "NotStarted", None)


def test_a_connection_that_is_not_there_is_named(desk: Desk, client: APIClient) -> None:
    """The Engine cannot mount what is not there, and the words are for who wrote the pipeline."""
    volume = client.create_volume(f"{desk.settings.project}_secrets")["Name"]
    binds = client.create_host_config(binds=[f"{volume}:/secrets"])
    keeper = client.create_container(image("extract"), name=f"{desk.settings.project}-keeper", host_config=binds)["Id"]
    client.put_archive(keeper, "/secrets", files({"connections/warehouse/uri": "x"}))
    client.remove_container(keeper)

    error = desk.fails(desk.pipeline(), StageName.extract)

    assert type(error) is AirflowFailException
    assert _last_words(error) == [
        "NotStarted: There is no connection 'source'",
        "  where: config/pipelines/orders.yaml",
        "  next:  Sources name one that is there, such as 'source' or 'warehouse': make connection lists them.",
    ]


def test_files_that_are_gone_are_made_anew_by_extract(desk: Desk, client: APIClient, tmp_path: Path) -> None:
    """Somebody deleted the pipeline's folder in the volume: a part of it that is not there cannot be mounted."""
    (tmp_path / "runs" / "orders").rename(tmp_path / "elsewhere")

    error = desk.fails(desk.pipeline())

    assert type(error) is AirflowFailException
    assert _last_words(error) == [
        "NotStarted: The files that extract left are gone",
        "  where: volume runs, folder orders",
        "  next:  Clear extract, and those after it: sources are read again.",
    ]


def test_what_the_guard_refuses_is_told_with_its_place(desk: Desk, tmp_path: Path) -> None:
    """More than it allows is refused by the real guard, in its own words and with what to do."""
    wishes = Wishes(project=desk.settings.project, images="etl-platform/", tag=desk.settings.tag)
    with RunningGuard(guard_settings(tmp_path, SOCKET, wishes)) as guard:
        desk.settings = desk.settings._replace(engine_url=f"tcp://127.0.0.1:{guard.port}")

        error = desk.fails(desk.pipeline(memory="64g"))

    assert type(error) is AirflowFailException
    first, *_, where, hint = _last_words(error)
    assert first.startswith("NotStarted: The guard of the Docker Engine refuses this container: ")
    assert "HostConfig.Memory: 68719476736" in first
    assert where == "  where: config/pipelines/orders.yaml, and config/docker_guard.yaml"
    assert hint == "  next:  Ask for no more than the guard allows; mostly it is about 'limits'."
    assert (desk.line["state"], desk.line["error"]) == ("failed", "NotStarted")


def test_an_engine_that_does_not_answer_is_told_and_tried_again(desk: Desk) -> None:
    """No traceback of the client's is the last word."""
    desk.settings = desk.settings._replace(engine_url="tcp://127.0.0.1:9")

    error = desk.fails(desk.pipeline())

    assert type(error) is AirflowException
    first, where, hint = _last_words(error)
    assert first.startswith("Unreachable: The Docker Engine does not answer: ")
    assert (where, hint) == ("  where: service docker-guard", "  next:  It is tried again. See: make status")
    assert (desk.line["state"], desk.line["error"]) == ("failed", "Unreachable")


def test_a_file_that_is_not_of_the_run_is_not_read(desk: Desk) -> None:
    """Whoever writes another into what a stage has left, no stage is started with it."""
    own = desk.dataset.uri.rpartition("/extract/")[0]
    for uri in (f"{own}-evil/orders.parquet", f"{own}/../other/orders.parquet", "file:///run/secrets/warehouse/uri"):
        desk.dataset = desk.dataset.model_copy(update={"uri": uri})

        error = desk.fails(desk.pipeline())

        assert isinstance(error, AirflowFailException)
        assert _last_words(error) == [
            "DataError: the file is not one of this run",
            f"  where: {uri}",
            f"  next:  A stage reads below {own}. Clear the stage that names it, and those after it.",
        ]
    assert desk.lines == []


def test_each_try_has_a_line_and_keeps_it(desk: Desk) -> None:
    """A second try adds its own; a line that is written twice is there once, as it was first."""
    desk.fails(desk.pipeline(**ENDINGS["a kill"][0]))
    desk.try_number = 2
    desk.run(desk.pipeline())
    before = desk.lines

    desk.run(desk.pipeline())

    assert [(line["try_number"], line["state"]) for line in desk.lines] == [(1, "killed"), (2, "success")]
    assert desk.lines == before


@pytest.mark.parametrize("trouble", ["no address", "nobody there", "no table", "a lock"])
def test_no_trouble_with_the_book_fails_or_holds_up_a_stage(desk: Desk, warehouse: Warehouse, trouble: str) -> None:
    """The stage is done, within seconds; its log says what is missing where."""
    address = desk.settings.recorder
    if trouble == "no address":
        address.unlink()
    elif trouble == "nobody there":
        address.write_text("postgresql://recorder:x@127.0.0.1:9/warehouse")
    elif trouble == "no table":
        address.write_text(warehouse.uri("recorder", "postgres"))
    locked = "lock table etl.stage_runs in access exclusive mode" if trouble == "a lock" else "select 1"
    started = datetime.now(UTC)

    with warehouse.holding(locked):
        result = desk.run(desk.pipeline())

    assert result.outcome is Outcome.done
    assert (datetime.now(UTC) - started).total_seconds() < result.seconds + 10
    (warning,) = [entry for entry in desk.said if entry["log_level"] == "warning"]
    assert warning["event"] == "This try is missing in etl.stage_runs, which changes nothing else"
    assert warning["reason"]
    assert desk.said[-1]["event"] == "transform is done"
    assert desk.lines == []
