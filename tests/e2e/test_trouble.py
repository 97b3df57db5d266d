"""What goes wrong, told where people look."""

from collections.abc import Iterator

import httpx
import pytest

from tests._stack import Stack, until

YAML = """\
description: A pipeline of the tests
extract:
  airlines: {{sql: {connection}, query: "{query}"}}
transform:
  pandas: {name}.py:change
load:
  airlines: {{table: mart.{name}, mode: upsert, key: [carrier]}}
limits: {{transform: {{memory: {memory}, minutes: 1}}}}
retries: 0
"""


def _files(
    name: str,
    *,
    body: str = "return {'airlines': airlines}",
    query: str = "select * from airlines",
    connection: str = "source",
    memory: str = "512m",
) -> dict[str, str]:
    text = YAML.format(name=name, query=query, connection=connection, memory=memory)
    return {f"{name}.yaml": text, f"{name}.py": f"def change(airlines):\n    {body}\n"}


CASES = {
    "author_error": (
        _files("author_error", body="return {'airlines': airlines[['carier']]}"),
        "transform",
        ["config/pipelines/author_error.py, line 2, in change", "carier"],
    ),
    "wrong_query": (
        _files("wrong_query", query="select carrier, nme from airlines"),
        "extract",
        ["extract.airlines", 'column \\"nme\\" does not exist'],
    ),
    "no_connection": (
        _files("no_connection", connection="sourc"),
        "extract",
        ["There is no connection 'sourc'", "such as 'source' or 'warehouse'"],
    ),
    "no_such_dataset": (
        _files("no_such_dataset", body="return {'airline': airlines}"),
        "load",
        ["airlines", "airline"],
    ),
    "twice_the_key": (
        _files("twice_the_key", body="import pandas as pd; return {'airlines': pd.concat([airlines, airlines])}"),
        "load",
        ["carrier", "9E"],
    ),
    "out_of_memory": (
        _files("out_of_memory", body="x = bytearray(600 * 1024**2); return {'airlines': airlines}", memory="256m"),
        "transform",
        ["memory limit of 256m", "limits: {transform: {memory: 512m}}"],
    ),
    "too_much_memory": (
        _files("too_much_memory", memory="64g"),
        "transform",
        ["The guard of the Docker Engine refuses this container", "memory"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_failing_stage_fails_its_run_and_says_why(stack: Stack, name: str) -> None:
    """The message stands in the task's log and comes through the REST API; what follows does not run."""
    files, stage, words = CASES[name]
    with stack.pipeline(name, files):
        run_id = stack.trigger(name)

        assert stack.wait_for_run(name, run_id) == "failed"
        tasks = stack.tasks(name, run_id)
        assert tasks[stage]["state"] == "failed"
        log = stack.text(name, run_id, stage)
        assert [word for word in words if word not in log and word.replace('\\"', '"') not in log] == [], log
        last = [line for line in stack.log(name, run_id, stage) if not line["event"].startswith("::")][-1]
        assert (last["event"], len(last["error_detail"])) == ("Task failed with exception", 1)
        line = stack.one(
            "warehouse",
            "select state, error, rows_out, seconds from etl.stage_runs where run_id = :'run' and stage = :'stage'",
            run=run_id,
            stage=stage,
        )
        assert line["state"] == ("out_of_memory" if name == "out_of_memory" else "failed")
        assert str(last["error_detail"][0]["exc_value"]).startswith(f"{line['error']}: ")
        assert (line["rows_out"], float(line["seconds"]) >= 0) == ("", True)
        after = [task for task, value in tasks.items() if value["state"] == "upstream_failed"]
        assert len(after) == len(tasks) - list(tasks).index(stage) - 1 or after
        assert stack.stage_containers(run_id) == []


def test_a_failed_load_leaves_the_table_as_it_was(stack: Stack) -> None:
    """Rows that are refused change nothing, and the table keeps what a good run brought."""
    with stack.pipeline("refused", _files("refused")):
        stack.run("refused")
        before = stack.sql("warehouse", "select * from mart.refused order by carrier")
        bad = _files(
            "refused", body="import pandas as pd; return {'airlines': pd.concat([airlines.assign(name='x'), airlines])}"
        )
        (stack.pipelines / "refused.py").write_text(bad["refused.py"])
        stack.wait_for_code("refused", "name='x'")

        run_id = stack.trigger("refused")

        assert stack.wait_for_run("refused", run_id) == "failed"
        assert stack.sql("warehouse", "select * from mart.refused order by carrier") == before
        assert len(before) == 16


def test_a_broken_file_shows_what_is_wrong_and_its_neighbours_live(stack: Stack) -> None:
    """The web UI has the problems in words, by line; flights is as it was."""
    text = "extract:\n  a: {htpp: x}\nload:\n  a: {table: a, mode: upsert}\n"
    with stack.pipeline("broken_one", {"broken_one.yaml": text}):
        details = stack.api.get("/api/v2/dags/broken_one/details").json()

        assert "line 2, extract.a: 'htpp' is not a source" in details["doc_md"]
        assert "line 4, load.a.key: required for mode 'upsert', but not there" in details["doc_md"]
        assert [tag["name"] for tag in details["tags"]] == ["broken"]
        run_id = stack.trigger("broken_one")
        assert stack.wait_for_run("broken_one", run_id) == "failed"
        assert "'htpp' is not a source" in stack.text("broken_one", run_id, "problems")
        assert stack.api.get("/api/v2/dags/flights").status_code == httpx.codes.OK
        assert stack.api.get("/api/v2/importErrors").json()["total_entries"] == 0


def test_an_edit_is_a_new_version_of_the_dag(stack: Stack) -> None:
    """Airflow shows which run used which code: an edit of the twin file alone is a new version."""
    with stack.pipeline("edited", _files("edited")):
        stack.run("edited")
        before = stack.api.get("/api/v2/dags/edited/dagVersions").json()["total_entries"]
        (stack.pipelines / "edited.py").write_text(
            _files("edited", body="return {'airlines': airlines.head(1)}")["edited.py"]
        )
        stack.wait_for_code("edited", "head(1)")
        stack.run("edited")

        assert stack.api.get("/api/v2/dags/edited/dagVersions").json()["total_entries"] == before + 1


def test_a_day_that_is_none_is_refused_by_the_form(stack: Stack) -> None:
    """A wrong parameter is refused before a run starts."""
    stack.wait_for_dag("flights")

    answer = stack.api.post(
        "/api/v2/dags/flights/dagRuns", json={"logical_date": None, "conf": {"day": "the day before yesterday"}}
    )

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "day" in answer.text


@pytest.fixture(autouse=True)
def no_leftovers(stack: Stack) -> Iterator[None]:
    """Hold every test to this: in the end no stage's container is left."""
    yield
    until(lambda: stack.stage_containers() == [], 120)
