"""One container for one stage of one run, on the real Engine."""

import os
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from docker import APIClient
from docker.errors import NotFound

from etl_platform._container import StageContainer, State, container_name

IMAGE = os.environ.get("PYTHON_IMAGE", "etl-upstream/python:3.13-trixie")


@pytest.fixture
def client() -> Iterator[APIClient]:
    """Give the Engine's client."""
    client = APIClient(version="1.45")
    yield client
    client.close()


@pytest.fixture
def run_id(client: APIClient) -> Iterator[str]:
    """Give a run of its own, whose containers are removed in the end."""
    run_id = f"test-{uuid4().hex}"
    yield run_id
    for container in client.containers(all=True, filters={"label": f"etl.run_id={run_id}"}):
        client.remove_container(container["Id"], force=True)


def _stage(client: APIClient, run_id: str, digest: str = "one") -> StageContainer:
    name = container_name("etl-container-test", "orders", "load", run_id)
    return StageContainer(client, name, {"etl.run_id": run_id}, digest)


def _program(client: APIClient, code: str, **host: Any) -> Any:  # noqa: ANN401
    def arguments(nonce: str) -> dict[str, Any]:
        return {
            "image": IMAGE,
            "command": ["python", "-u", "-c", code],
            "environment": {"NONCE": nonce},
            "labels": {"etl.try_number": "1"},
            "host_config": client.create_host_config(init=True, network_mode="none", **host),
        }

    return arguments


def _containers(client: APIClient, run_id: str) -> list[dict[str, Any]]:
    containers: list[dict[str, Any]] = client.containers(all=True, filters={"label": f"etl.run_id={run_id}"})
    return containers


def test_a_container_is_heard_to_its_end_and_removed(client: APIClient, run_id: str) -> None:
    """Every line arrives, with the state that it ended in, and nothing is left."""
    stage = _stage(client, run_id)

    stage.ensure(_program(client, "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"))

    assert sorted(stage.lines()) == ["one", "two"]
    state = stage.state()
    assert state[:2] == State(exit_code=3, out_of_memory=False)[:2]
    assert state.started_at is not None
    assert state.ended_at is not None
    assert state.started_at < state.ended_at
    stage.remove()
    stage.remove()
    assert _containers(client, run_id) == []


def test_a_second_try_adopts_the_running_container(client: APIClient, run_id: str) -> None:
    """After a crash of the scheduler there is one container, whose whole log the new try hears."""
    first = _stage(client, run_id)
    found = first.ensure(_program(client, "import time; print('one'); time.sleep(3); print('two')"))
    time.sleep(1)  # it has said its first word when the second try comes

    second = _stage(client, run_id)
    adopted = second.ensure(_program(client, "print('another')"))

    assert (adopted.id, adopted.nonce, adopted.adopted) == (found.id, found.nonce, True)
    assert list(second.lines()) == ["one", "two"]
    assert len(_containers(client, run_id)) == 1


def test_a_second_try_adopts_a_container_that_ended_meanwhile(client: APIClient, run_id: str) -> None:
    """What it said and how it ended is not lost."""
    first = _stage(client, run_id)
    first.ensure(_program(client, "print('one'); raise SystemExit(1)"))
    client.wait(first.id)

    second = _stage(client, run_id)

    assert second.ensure(_program(client, "print('another')")).adopted
    assert list(second.lines()) == ["one"]
    assert second.state().exit_code == 1


def test_a_container_that_was_created_only_is_started(client: APIClient, run_id: str) -> None:
    """The moment between create and start is no hole."""
    name = container_name("etl-container-test", "orders", "load", run_id)
    arguments = _program(client, "print('one')")("n")
    arguments["labels"] |= {"etl.run_id": run_id, "etl.task_digest": "one", "etl.nonce": "n"}
    client.create_container(name=name, **arguments)

    stage = _stage(client, run_id)

    assert stage.ensure(_program(client, "print('another')")).adopted
    assert list(stage.lines()) == ["one"]


def test_a_container_with_another_task_is_replaced(client: APIClient, run_id: str) -> None:
    """A pipeline that was edited after the crash runs as it is now."""
    _stage(client, run_id, digest="old").ensure(_program(client, "import time; time.sleep(60)"))

    stage = _stage(client, run_id, digest="new")

    assert not stage.ensure(_program(client, "print('new')")).adopted
    assert list(stage.lines()) == ["new"]
    assert len(_containers(client, run_id)) == 1


def test_a_container_that_was_killed_is_replaced(client: APIClient, run_id: str) -> None:
    """A stage that somebody killed has no outcome to adopt."""
    first = _stage(client, run_id)
    first.ensure(_program(client, "import time; time.sleep(60)"))
    client.kill(first.id)
    client.wait(first.id)

    stage = _stage(client, run_id)

    assert not stage.ensure(_program(client, "print('again')")).adopted
    assert list(stage.lines()) == ["again"]


def test_a_container_that_ran_out_of_memory_says_so(client: APIClient, run_id: str) -> None:
    """The limit's kill is told from any other."""
    stage = _stage(client, run_id)
    limit = 32 * 1024**2
    stage.ensure(_program(client, "x = bytearray(200 * 1024**2)", mem_limit=limit, memswap_limit=limit))

    assert list(stage.lines()) == []
    assert stage.state().out_of_memory


def test_removal_takes_no_longer_than_airflow_leaves(client: APIClient, run_id: str) -> None:
    """A program that ignores SIGTERM is gone within 5 s."""
    stage = _stage(client, run_id)
    stage.ensure(
        _program(client, "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)")
    )
    time.sleep(1)
    started = time.monotonic()
    stage.remove()

    assert time.monotonic() - started < 5
    with pytest.raises(NotFound):
        stage.state()
    assert _containers(client, run_id) == []


def test_an_order_to_stop_that_comes_during_the_start_is_kept(client: APIClient, run_id: str) -> None:
    """A container that is created after the kill never runs, and is removed."""
    stage = _stage(client, run_id)
    stage.remove()

    stage.ensure(_program(client, "print('never')"))
    assert [container["State"] for container in _containers(client, run_id)] == ["created"]
    stage.remove()

    assert _containers(client, run_id) == []


def test_a_stream_that_breaks_in_silence_loses_no_line(client: APIClient, run_id: str) -> None:
    """docker-py hides a connection that broke; the last line, which is the result, arrives all the same."""
    stage = _stage(client, run_id)
    stage.ensure(_program(client, "print('one'); print('two'); print('the result', end='')"))
    client.wait(stage.id)
    stage._follow = lambda: iter(["one"])  # type: ignore[method-assign]  # what is left of a broken stream

    assert list(stage.lines()) == ["one", "two", "the result"]


def test_lines_are_whole_whatever_their_length(client: APIClient, run_id: str) -> None:
    """Docker cuts its log at 16 KiB; a line of 100 KiB arrives as one, and so do 10,000 short ones."""
    stage = _stage(client, run_id)
    stage.ensure(_program(client, "print('é' * 100_000)\nfor i in range(10_000): print(i)"))

    first, *rest = stage.lines()

    assert first == "é" * 100_000
    assert rest == [str(number) for number in range(10_000)]
