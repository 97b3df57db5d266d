"""Attacks the guard's own image, limited as it ships, before the real Engine."""

import re
from collections.abc import Callable, Iterator

import docker
import pytest

from tests.docker_guard.attacks import Attack, Target, create, text
from tests.docker_guard.attacks_on_calls import ON_CALLS
from tests.docker_guard.attacks_on_create import ON_CREATE
from tests.docker_guard.attacks_on_http import ON_HTTP, PIPELINED
from tests.docker_guard.real_engine import SOCKET, installation, state
from tests.docker_guard.shipped import ShippedGuard, shipped_guard

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SOCKET.exists(), reason=f"needs a Docker Engine at {SOCKET}"),
]

ATTACKS = ON_CREATE | ON_CALLS | ON_HTTP


@pytest.fixture(scope="module")
def target(engine: docker.APIClient) -> Iterator[Target]:
    """Set up an installation with a stage that runs, and a container of another one beside it."""
    with installation(engine) as wishes:
        ids = []
        for installation_id in (None, "another-installation"):
            arguments = wishes.arguments("transform", {"python": "import time; time.sleep(3600)"})
            if installation_id:
                arguments["labels"]["etl.installation"] = installation_id
            ids.append(engine.create_container(name=wishes.name("transform"), **arguments)["Id"])
            engine.start(ids[-1])
        yield Target(wishes, *ids)


@pytest.fixture(scope="module")
def guard(engine: docker.APIClient, target: Target) -> Iterator[ShippedGuard]:
    """Start the guard's image before that installation."""
    with shipped_guard(engine, target.wishes) as running:
        yield running


def _statuses(answer: bytes) -> list[int]:
    """Give the status of each answer on a connection."""
    return [int(status) for status in re.findall(rb"HTTP/[0-9.]+ ([0-9]{3}) [A-Z]", answer)]


def test_there_are_more_attacks_than_anyone_asked_for() -> None:
    """The table is not thinned out by mistake: a name that stands there twice would hide another's attack."""
    assert len(ATTACKS) + len(PIPELINED) > 400


def test_what_the_attacks_are_made_from_is_let_through(
    guard: ShippedGuard, engine: docker.APIClient, target: Target
) -> None:
    """The request that the attacks change creates a container: each is refused for its change, and nothing else."""
    answer, log = guard.attack(create(target, text(target).encode()))
    (created,) = engine.containers(all=True, filters={"label": "etl.stage=extract", "name": target.wishes.project})
    engine.remove_container(created["Id"])

    assert _statuses(answer) == [201]
    assert [line["event"] for line in log] == ["passed"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused(attack: Attack, guard: ShippedGuard, engine: docker.APIClient, target: Target) -> None:
    """It ends with 403 or 400, one line in the log that says why, and the Engine as it was."""
    before = state(engine, target.wishes)
    answer, log = guard.attack(attack.send(target))

    assert _statuses(answer) in ([[attack.status]] if attack.status else [[400], [403]])
    (line,) = log
    assert line["event"] in {"refused", "malformed"}
    assert target.fill(attack.reason) in line["reason"]
    assert line["reason"]
    assert state(engine, target.wishes) == before


def test_a_name_that_was_given_to_another_image_starts_nothing(
    guard: ShippedGuard, engine: docker.APIClient, target: Target
) -> None:
    """The request that was let through a moment ago is refused, with both ids, as long as the name means another."""
    before = state(engine, target.wishes)
    name, tag = f"{target.wishes.images}extract", target.wishes.tag
    right = engine.inspect_image(f"{name}:{tag}")["Id"]
    engine.tag(f"{target.wishes.images}visualize:{tag}", name, tag)
    try:
        answer, log = guard.attack(create(target, text(target).encode()))
    finally:
        engine.tag(right, name, tag)

    assert _statuses(answer) == [409]
    (line,) = log
    assert line["event"] == "refused"
    assert f"{name}:{tag} is another image now" in line["reason"]
    assert f"than when the platform was started ({right.removeprefix('sha256:')[:12]})" in line["reason"]
    assert state(engine, target.wishes) == before


@pytest.mark.parametrize("attack", PIPELINED.values(), ids=PIPELINED)
def test_nothing_hides_behind_a_request(
    attack: Callable[[Target], bytes], guard: ShippedGuard, engine: docker.APIClient, target: Target
) -> None:
    """Of what comes on one connection only the first request is answered, whatever that answer is."""
    before = state(engine, target.wishes)
    answer, _ = guard.attack(attack(target))

    assert len(_statuses(answer)) == 1
    assert state(engine, target.wishes) == before
