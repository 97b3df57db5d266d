"""Sends valid bodies, changed at random, through a guard before an Engine that notes what it hears."""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_docker_guard._body import Container
from etl_docker_guard._judge import judge
from etl_docker_guard._policy import Policy
from tests.docker_guard import running
from tests.docker_guard.attacks import Body, request
from tests.docker_guard.fake_engine import FakeEngine, image_id
from tests.docker_guard.running import RunningGuard
from tests.docker_guard.wishes import INSTALLATION, REACH, Wishes

BODIES = {stage: Wishes().body(stage) for stage in REACH}
# What Go folds into an ASCII letter beside its other case.
FOLDS = {"s": "\u017f", "S": "\u017f", "k": "\u212a", "K": "\u212a"}
BAD_PARTS = (
    '"Privileged": true',
    '"privileged": true',
    r'"\u0050rivileged": true',
    '"Binds": ["/:/host"]',
    '"HostConfig": {"Privileged": true}',
    '"hostConfig": {}',
    '"Memory": 0',
    '"CapDrop": []',
    '"NetworkMode": "host"',
    '"Image": "alpine:latest"',
    '"Env": ["LD_PRELOAD=/runs/x.so"]',
    '"ReadOnly": false',
    '"Subpath": "airflow"',
)
WRAPPERS = ("{}", " {}\n", "\ufeff{}", "{}{{}}", "[{}]", "{}\0", "\t{}", "{} ", "{},")


@pytest.fixture(scope="module")
def engine() -> Iterator[FakeEngine]:
    """Start an Engine that says yes to every container."""
    with tempfile.TemporaryDirectory() as folder, FakeEngine(Path(folder) / "engine.sock") as engine:
        engine.answers["/containers/create"] = lambda handler: handler.json({"Id": "0" * 64}, 201)
        yield engine


@pytest.fixture(scope="module")
def guard(engine: FakeEngine) -> Iterator[RunningGuard]:
    """Start a guard before it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningGuard(running.settings(Path(folder), engine.socket, Wishes())) as guard,
    ):
        yield guard


def as_go_reads(text: bytes) -> Any:  # noqa: ANN401 - any document
    """Read JSON as generously as Go: keys in any case, the last of equal ones, what is no UTF-8 replaced."""

    def fold(key: str) -> str:
        return key.replace("\u017f", "s").replace("\u212a", "k").casefold()

    return json.loads(text.decode("utf-8", "replace"), object_pairs_hook=lambda pairs: {fold(k): v for k, v in pairs})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a stage's body, and change its values, its keys, its spelling, or none of them."""
    stage = draw(st.sampled_from(sorted(BODIES)))
    body: Body = copy.deepcopy(BODIES[stage])
    numbers = st.sampled_from([0, 1, -1, 64, 2**27, 2**32, 2**33, 2**64, True, None])
    for _ in range(draw(st.integers(0, 2))):
        *parents, last = draw(st.sampled_from([place for place in _places(body) if place]))
        parent: Any = body
        for key in parents:
            parent = parent[key]
        match draw(st.sampled_from(["number", "text", "other", "fold", "drop"])):
            case "number" if isinstance(parent[last], int):
                parent[last] = draw(numbers)
            case "text" if isinstance(parent[last], str):
                parent[last] = draw(st.sampled_from([parent[last] + "x", parent[last].upper(), "", "../x", "host"]))
            case "other":
                other = BODIES[draw(st.sampled_from(sorted(BODIES)))]
                parent[last] = copy.deepcopy(other["HostConfig"].get(last, other.get(last, parent[last])))
            case "fold" if isinstance(last, str) and isinstance(parent, dict):
                folded = "".join(FOLDS.get(c, c.swapcase()) if draw(st.booleans()) else c for c in last)
                parent[folded] = parent.pop(last)
            case "drop":
                del parent[last]
    text = json.dumps(body, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    if draw(st.integers(0, 3)) == 0:
        spot = draw(st.sampled_from([at for at, letter in enumerate(text) if letter == "{"]))
        text = f"{text[: spot + 1]}{draw(st.sampled_from(BAD_PARTS))}, {text[spot + 1 :]}"
    if draw(st.integers(0, 5)) == 0:
        text = draw(st.sampled_from(WRAPPERS)).format(text)
    return stage, text.encode(draw(st.sampled_from(["utf-8"] * 9 + ["utf-16"])))


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_what_comes_through_is_what_the_model_writes_within_the_policy(
    guard: RunningGuard, engine: FakeEngine, policy: Policy, change: tuple[str, bytes]
) -> None:
    """A changed body is refused, or the Engine hears what the model writes, and what Go would have read in it too."""
    stage, raw = change
    name = f"etl-flights-{stage}-0123456789abcdef"
    engine.seen.clear()
    answer = guard.raw(request(f"/v1.45/containers/create?name={name}", raw))

    if answer.startswith(b"HTTP/1.1 403"):
        assert engine.seen == []
        return
    assert answer.startswith(b"HTTP/1.1 201")
    ((_, target, heard),) = engine.seen
    assert target == f"/v1.45/containers/create?name={name}"
    container = Container.parse(json.loads(heard))
    assert heard == container.to_json()
    # The Engine hears the image's id; what was asked for is its name.
    asked = as_go_reads(raw)["image"]
    assert container.image == image_id(asked)
    container = container.model_copy(update={"image": asked})
    assert as_go_reads(raw) == as_go_reads(container.to_json())
    judge(container, name, policy, project="etl", installation=INSTALLATION)
    within = _rule(stage, json.loads(heard)["HostConfig"], policy)
    assert within, heard


def _rule(stage: str, host: Body, policy: Policy) -> bool:
    """Tell whether what was heard is within what the policy says, in other words than the guard's own."""
    limits, rule = policy.limits, policy.images[f"etl-platform/{stage}:local"]
    mounts = {
        (mount["Target"], mount["Source"], mount.get("VolumeOptions", {}).get("Subpath", ""), mount["ReadOnly"])
        for mount in host.get("Mounts", [])
    }
    allowed = {
        (place.replace("*", name), one.volume, one.folder.replace("*", name), read_only)
        for place, one in rule.mounts.items()
        for name in ("source", "flights")  # a connection, and a pipeline
        for read_only in {True, one.access == "read"}
    }
    return (
        mounts <= allowed
        and host["NetworkMode"] in rule.networks
        and (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges:true"])
        and host["ReadonlyRootfs"] is host["Init"] is True
        and 0 < host["Memory"] == host["MemorySwap"] <= limits.memory
        and 0 < host["NanoCpus"] <= limits.cpus * 10**9
        and 0 < host["PidsLimit"] <= limits.processes
    )
