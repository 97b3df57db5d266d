"""Tests which calls are understood."""

from collections.abc import Callable

import docker
import pytest

from etl_docker_guard._calls import Call
from etl_docker_guard._errors import Refused
from tests.docker_guard.wishes import Recorder

ID = "a1" * 32
IMAGE = "etl-platform/extract:local"


def _logs(client: docker.APIClient, **query: object) -> None:
    """Do what `logs` does, and not look at what comes back."""
    client._get(client._url("/containers/{0}/logs", ID), params=query)


@pytest.mark.parametrize(
    ("ask", "kind", "query"),
    [
        (lambda c: c.ping(), "ping", {}),
        (lambda c: c.inspect_image(IMAGE), "image", {}),
        (lambda c: c.containers(), "list", {"all": "0", "limit": "-1"}),
        (lambda c: c.containers(all=True, filters={"label": ["etl.run_id=a+b c"]}), "list", {"all": "1"}),
        (lambda c: c.inspect_container(ID), "inspect", {}),
        (lambda c: c.start(ID), "start", {}),
        (lambda c: c.stop(ID), "stop", {}),
        (lambda c: c.stop(ID, timeout=3), "stop", {"t": "3"}),
        (lambda c: c.kill(ID), "kill", {}),
        (lambda c: c.kill(ID, "SIGTERM"), "kill", {"signal": "SIGTERM"}),
        (lambda c: c.wait(ID), "wait", {}),
        (lambda c: c.wait(ID, condition="removed"), "wait", {"condition": "removed"}),
        (lambda c: c.remove_container(ID), "remove", {"force": "0", "v": "0", "link": "0"}),
        (lambda c: c.remove_container(ID, force=True, v=True), "remove", {"force": "1", "v": "1"}),
        (lambda c: _logs(c, follow=1, tail="all"), "logs", {"follow": "1", "tail": "all"}),
        (lambda c: _logs(c, since=1.5, tail=10), "logs", {"since": "1.5", "tail": "10"}),
    ],
)
def test_what_docker_py_sends_is_understood(
    ask: Callable[[docker.APIClient], object], kind: str, query: dict[str, str]
) -> None:
    """Every call that an operator makes through docker-py is understood, and its query written anew."""
    recorder = Recorder()
    with docker.APIClient("tcp://127.0.0.1:1", version="1.45") as client:
        client.mount("http://", recorder)
        ask(client)

    request = recorder.sent[-1]
    call = Call.parse(request.method or "", request.path_url)
    assert call.kind == kind
    assert query.items() <= call.query.pairs().items()


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", f"/containers/{ID}/exec"),
        ("POST", f"/containers/{ID}/attach?stream=1"),
        ("POST", f"/containers/{ID}/update"),
        ("POST", f"/containers/{ID}/rename?name=x"),
        ("POST", f"/containers/{ID}/restart"),
        ("POST", f"/containers/{ID}/pause"),
        ("POST", f"/containers/{ID}/resize?h=1&w=1"),
        ("GET", f"/containers/{ID}/archive?path=/"),
        ("PUT", f"/containers/{ID}/archive?path=/"),
        ("HEAD", f"/containers/{ID}/archive?path=/"),
        ("GET", f"/containers/{ID}/export"),
        ("GET", f"/containers/{ID}/top"),
        ("GET", f"/containers/{ID}/changes"),
        ("GET", f"/containers/{ID}/attach/ws"),
        ("POST", "/containers/prune"),
        ("POST", f"/commit?container={ID}"),
        ("POST", "/build"),
        ("POST", "/images/create?fromImage=alpine"),
        ("POST", "/images/load"),
        ("POST", "/images/prune"),
        ("DELETE", f"/images/{IMAGE}"),
        ("GET", f"/images/{IMAGE}/history"),
        ("GET", "/images/json"),
        ("GET", f"/containers/{ID}/stats?stream=0"),
        ("GET", "/version"),
        ("GET", "/volumes"),
        ("POST", "/volumes/create"),
        ("GET", "/networks"),
        ("POST", "/networks/etl_data/connect"),
        ("GET", "/plugins"),
        ("GET", "/swarm"),
        ("GET", "/services"),
        ("GET", "/secrets"),
        ("GET", "/configs"),
        ("GET", "/nodes"),
        ("GET", "/tasks"),
        ("GET", "/system/df"),
        ("GET", "/events"),
        ("GET", "/info"),
        ("POST", "/session"),
        ("POST", "/grpc"),
        ("POST", "/auth"),
        ("GET", "/distribution/alpine/json"),
        ("HEAD", "/_ping"),
        ("OPTIONS", "/_ping"),
        ("get", "/_ping"),
        ("DELETE", "/containers/create?name=x"),
        ("GET", "/_ping/"),
        ("GET", "//_ping"),
        ("GET", "/./_ping"),
        ("GET", "/x/../_ping"),
        ("GET", "/%5fping"),
        ("GET", "/_ping%00"),
        ("GET", "/_ping#x"),
        ("GET", "http://docker/_ping"),
        ("GET", "/v1.44/_ping"),
        ("GET", "/v9.99/_ping"),
        ("GET", "/v1.45/v1.45/_ping"),
        ("GET", "/V1.45/_ping"),
        ("GET", "/v1.45"),
        ("GET", f"/containers/{ID[:12]}/json"),
        ("GET", f"/containers/{ID.upper()}/json"),
        ("GET", "/containers/etl-docker-guard-1/json"),
        ("GET", f"/containers/{ID}%2f..%2fjson"),
        ("GET", f"/containers/{ID}/../{ID}/json"),
        ("POST", f"/Containers/{ID}/start"),
        ("POST", f"/containers/{ID}/start/"),
    ],
)
def test_any_other_call_is_refused(method: str, target: str) -> None:
    """Whatever is no call of a stage, or is written in another way than docker-py does, is refused."""
    with pytest.raises(Refused, match="no stage needs this call"):
        Call.parse(method, target)


@pytest.mark.parametrize(
    ("method", "target", "reason"),
    [
        ("GET", "/_ping?x=1", "query x"),
        ("POST", f"/containers/{ID}/start?detachKeys=a", "query detachKeys"),
        ("POST", f"/containers/{ID}/stop?t=600", "less than or equal to 30"),
        ("POST", f"/containers/{ID}/stop?t=-1", "greater than or equal to 0"),
        ("POST", f"/containers/{ID}/stop?signal=SIGUSR1", "query signal"),
        ("POST", f"/containers/{ID}/kill?signal=SIGSTOP", "'SIGSTOP' is not one of SIGTERM"),
        ("POST", f"/containers/{ID}/wait?condition=never", "query condition"),
        ("GET", f"/containers/{ID}/json?size=1", "query size"),
        ("GET", f"/containers/{ID}/logs?follow=yes", "'yes' is neither 1 nor 0"),
        ("GET", f"/containers/{ID}/logs?follow=1&follow=0", "says one thing twice"),
        ("GET", f"/containers/{ID}/logs?%66ollow=1&follow=0", "says one thing twice"),
        ("GET", f"/containers/{ID}/logs?follow=1&details=1", "query details"),
        ("GET", f"/containers/{ID}/logs?Follow=1", "query Follow"),
        ("GET", f"/containers/{ID}/logs?tail=-5", "query tail"),
        ("GET", f"/containers/{ID}/logs?follow", "malformed"),
        ("GET", f"/containers/{ID}/logs?follow=%ff", "malformed"),
        ("GET", "/containers/json?" + "&".join(f"a{n}=1" for n in range(20)), "malformed"),
        ("GET", "/containers/json?size=1", "query size"),
        ("GET", '/containers/json?filters={"label":[],"ancestor":["x"]}', "query filters.ancestor"),
        ("GET", '/containers/json?filters={"label":["com.docker.compose.project=etl"]}', "query filters.label.0"),
        ("GET", "/containers/json?filters=[[", "is not a JSON object"),
        ("GET", '/containers/json?filters=[["label",[]]]', "is not a JSON object"),
        ("GET", '/containers/json?filters={"label":[],"label":[]}', "is not a JSON object"),
        ("DELETE", f"/containers/{ID}?link=1", "query link"),
        ("POST", "/containers/create", "query name"),
        ("POST", "/containers/create?name=/x", "query name"),
        ("POST", "/containers/create?name=x&platform=linux/arm64", "query platform"),
    ],
)
def test_a_query_is_taken_whole_or_not_at_all(method: str, target: str, reason: str) -> None:
    """An unknown, doubled or impossible part of a query refuses the call, with the part's name."""
    with pytest.raises(Refused) as refusal:
        Call.parse(method, target)

    assert reason in str(refusal.value)
