"""Tests how the policy and the guard's settings are read."""

from pathlib import Path

import pytest

from etl_docker_guard._errors import Misconfigured
from etl_docker_guard._policy import Policy, load_policy
from etl_docker_guard._settings import Settings
from tests.docker_guard.running import POLICY

LIMITS = "limits: {memory: 1g, cpus: 1, processes: 9, tmp: 1m, log_size: 1m, log_files: 2}\n"


def _load(text: str, folder: Path) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text)
    return load_policy(path, project="etl", tag="local")


def test_the_policy_that_ships_allows_the_four_stages_and_nothing_more(policy: Policy) -> None:
    """The shipped policy names the four stages' images, each with a user that is not root."""
    stages = ("extract", "transform", "load", "visualize")
    assert [*policy.images] == [f"etl-platform/{stage}:local" for stage in stages]
    assert {rule.user for rule in policy.images.values()} == {"10001:10001"}


def test_transform_has_neither_network_nor_secret(policy: Policy) -> None:
    """The stage that runs the author's own code reaches nothing but the files of its pipeline's runs."""
    rule = policy.images["etl-platform/transform:local"]

    assert rule.networks == ("none",)
    assert {place: mount.folder for place, mount in rule.mounts.items()} == {"/runs/*": "*"}


def test_names_follow_project_and_tag() -> None:
    """Two projects on one Engine never share a network or a volume."""
    policy = load_policy(POLICY, project="other", tag="2.0")
    rule = policy.images["etl-platform/load:2.0"]

    assert rule.networks == ("other_data", "other_egress")
    assert {mount.volume for mount in rule.mounts.values()} == {"other_runs", "other_exports", "other_secrets"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("limits: {}\nimages: {}\n", "problems"),
        (LIMITS + "images: {a:b: {user: root, networks: [none]}}\n", "images.a:b.user: "),
        (LIMITS + "images: {a:b: {user: '0:0', networks: [none]}}\n", "images.a:b.user: "),
        (LIMITS + "images: {a:b: {user: '1:1', networks: [host]}}\n", "'host' is shared with others"),
        (LIMITS + "images: {a:b: {user: '1:1', networks: ['container:x']}}\n", "'container:x' is shared with others"),
        (LIMITS + "images: {a:b: {user: '1:1', networks: []}}\n", "images.a:b.networks: "),
        (LIMITS + "images: {a:b: {user: '1:1', networks: [none], privileged: true}}\n", "images.a:b.privileged: "),
        (
            LIMITS + "images: {a:b: {user: '1:1', networks: [none], mounts: {/s/*: {volume: s, access: read}}}}\n",
            "/s/*: write one * in both the place and its folder, or none",
        ),
        (LIMITS.replace("1g", "1 GB") + "images: {}\n", "limits.memory: '1 GB' is no size"),
        (LIMITS + "images: {'a:${VERSION}': {}}\n", "The only placeholders are ${PROJECT} and ${TAG}"),
        ("images: [\n", "policy.yaml: "),
        ("", "problems"),
    ],
)
def test_a_policy_that_could_be_misread_stops_the_start(text: str, problem: str, tmp_path: Path) -> None:
    """A policy with an unknown field, a missing one or a shared network is refused with its place."""
    with pytest.raises(Misconfigured) as refusal:
        _load(text, tmp_path)

    assert problem in str(refusal.value)


def test_settings_tell_every_problem_at_once() -> None:
    """A guard without project and tag says both, and what to write."""
    with pytest.raises(Misconfigured) as refusal:
        Settings.read({"GUARD_LISTEN": "2375", "ETL_TAG": "local; rm"})

    assert "GUARD_LISTEN is '2375'; write an address and a port" in str(refusal.value)
    assert "COMPOSE_PROJECT_NAME is ''; write the Compose project's name" in str(refusal.value)
    assert "ETL_TAG is 'local; rm'; write the tag of our images" in str(refusal.value)


def test_an_id_that_is_missing_or_empty_stops_the_start(tmp_path: Path) -> None:
    """Without an installation's id the guard could not tell our containers from others: it does not start."""
    env = {"COMPOSE_PROJECT_NAME": "etl", "ETL_TAG": "local", "GUARD_INSTALLATION_ID": str(tmp_path / "id")}
    settings = Settings.read(env)

    with pytest.raises(Misconfigured, match=r"No such file or directory\. The service 'secrets' writes it"):
        settings.read_installation_id()

    settings.installation_id.touch()
    with pytest.raises(Misconfigured, match="is not 8 to 128 letters and digits"):
        settings.read_installation_id()
