"""No secret stands anywhere but in its own place: every place is searched for every secret, in every usual form."""

import secrets
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from tests._stack import Stack
from tests.e2e.held import held
from tests.e2e.needles import Part, forms, search, secrets_of
from tests.e2e.places import Run, databases, images, inspections, logs, processes, repository, rest, volumes
from tests.e2e.plants import PLANTS, Ground

STAGES = ("extract", "transform", "load", "visualize")
# Two that fail where their secrets are at hand: PostgreSQL refuses the password, and nobody answers at the address.
REFUSED = """\
extract:
  rows: {sql: refused, query: select 1 as n}
load:
  rows: {table: mart.refused, mode: replace}
retries: 0
"""
UNANSWERED = """\
extract:
  rows: {http: "http://127.0.0.1:9/rows.csv", connection: unanswered, tries: 1}
load:
  rows: {table: mart.unanswered, mode: replace}
retries: 0
"""


class Lived(NamedTuple):
    """A stack in which runs went well and wrong, with what could be seen of their containers meanwhile."""

    stack: Stack
    runs: list[Run]
    stages: list[Part]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def connections(stack: Stack) -> Iterator[dict[str, str]]:
    """Keep connections whose secrets are wrong, and one that nobody uses; give that one's secret."""
    token = secrets.token_urlsafe(32)
    kept = {
        ("refused", "uri"): f"postgresql://extract:{secrets.token_urlsafe(32)}@postgres:5432/warehouse?sslmode=require",
        ("unanswered", "uri"): f"http://somebody:{secrets.token_urlsafe(16)}%40{secrets.token_hex(8)}@127.0.0.1:9",
        ("unanswered", "params"): f"api_key={secrets.token_urlsafe(32)}",
        ("planted", "token"): token,
    }
    for (name, field), text in kept.items():
        stack.script("setup/connection.sh", name, field, stdin=text)
    try:
        yield {"planted": token}
    finally:
        for name in sorted({name for name, _ in kept}):
            stack.script("env", "DELETE=1", "setup/connection.sh", name)


@pytest.fixture(scope="module")
def lived(stack: Stack, connections: dict[str, str]) -> Iterator[Lived]:
    """Let flights run well, and two pipelines fail; look at each stage while it is there."""
    seen: list[Part] = []
    runs: list[Run] = []
    files = {"refused.yaml": REFUSED, "unanswered.yaml": UNANSWERED}
    stack.wait_for_dag("flights")
    with stack.pipeline("refused", files), stack.pipeline("unanswered", {}):
        for dag_id, tasks, state in (
            ("flights", STAGES, "success"),
            ("refused", ("extract", "load"), "failed"),
            ("unanswered", ("extract", "load"), "failed"),
        ):
            for stage in held(stack, dag_id, last="visualize" if state == "success" else "extract"):
                run_id, here = stage.run_id, [stage.container]
                seen += chain(inspections(stack, here), processes(stack, here), logs(stack, here))
                if stage.stage == "load":  # and the processes of the task that waits for it
                    seen += processes(stack)
            assert stack.wait_for_run(dag_id, run_id) == state
            runs.append(Run(dag_id, run_id, tasks))
        yield Lived(stack, runs, seen, secrets_of(stack))


PLACES: dict[str, Callable[[Lived], Iterator[Part]]] = {
    "what the Engine says of containers": lambda lived: inspections(lived.stack),
    "processes": lambda lived: processes(lived.stack),
    "what services said": lambda lived: logs(lived.stack),
    "containers, processes and words of stages": lambda lived: iter(lived.stages),
    "images": lambda lived: images(lived.stack),
    "volumes": lambda lived: volumes(lived.stack),
    "the REST API": lambda lived: rest(lived.stack, lived.runs),
    "what roles may read": lambda lived: databases(lived.stack),
    "the repository": lambda _: repository(),
}


def test_every_generated_secret_is_searched_for(lived: Lived, connections: dict[str, str]) -> None:
    """There are as many as files with a secret in them, and the connections' own are among them."""
    assert set(connections.values()) <= set(lived.secrets)
    own = {Path(path).parts[0] for path in lived.secrets.values() if not path.startswith(("connections/", "postgres/"))}
    own.discard("lineage")  # where another test has given its token
    assert own == {"airflow", "analyst", "authority", "postgres_server", "source_owner", "stages"}
    assert len(lived.secrets) > 25


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_there(lived: Lived, place: str) -> None:
    """Neither as it is, nor in base64, hexadecimal, an address or JSON."""
    places: set[str] = set()

    def noted() -> Iterator[Part]:
        for part in PLACES[place](lived):
            places.add(part[0])
            yield part

    hits = search(lived.secrets, noted())

    assert hits == []
    assert len(places) >= MANY[place], sorted(places)


# How many places there must be at least, so that a place that was not read is no place without a secret.
MANY = {
    "what the Engine says of containers": 9,
    "processes": 5 * 4,
    "what services said": 9,
    "containers, processes and words of stages": 6 * 4 + 5 * 4,
    "images": 60,
    "volumes": 20,
    "the REST API": 100,
    "what roles may read": 7,
    "the repository": 200,
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_secret_that_is_planted_is_found(lived: Lived, connections: dict[str, str], plant: str) -> None:
    """The search is one that can fail: put into any of these places, a secret is found there."""
    secret = connections["planted"]
    put, place, form = PLANTS[plant]
    with put(Ground(lived.stack, lived.runs[0]), secret) as parts:
        hits = search(lived.secrets, parts)

    assert {hit.secret for hit in hits} == {"connections/planted/token"}
    assert any(place in hit.place and hit.form == form for hit in hits), hits


@pytest.mark.parametrize("form", ["as it is", "address", "JSON", "base64", "hexadecimal"])
def test_each_form_is_found_in_the_middle_of_a_text(form: str) -> None:
    """Whatever stands before and after it, and where a program's bytes are on both sides."""
    secret = 'pa/ss+w"rd=\\' + secrets.token_hex(8)
    for text in [text for text, how in forms(secret).items() if how == form]:
        (hit,) = search({secret: "mine"}, [("before", b"\0\n\xff"), ("here", b"\xff\n" + text[:5]), ("here", text[5:])])

        assert hit == ("mine", form, "here")
