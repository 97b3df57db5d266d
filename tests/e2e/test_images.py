"""Images are those that the platform was started with: another build waits for the next start, and no run is lost."""

from collections.abc import Iterator

import pytest

from tests._stack import Stack, until
from tests.e2e.needles import image


@pytest.fixture
def another(stack: Stack) -> Iterator[str]:
    """Give the name of transform to another image, as whoever builds it does."""
    name = image(stack, "transform")
    right = stack.docker("image", "inspect", "--format", "{{.Id}}", name).strip()
    recipe = f"FROM {name}\nENV BUILT=again\n"
    stack.script("docker", "build", "--quiet", "--tag", name, "-", stdin=recipe)
    try:
        yield name
    finally:
        stack.docker("tag", right, name)
        stack.compose("up", "--wait", "--wait-timeout", "300")


def test_a_build_is_taken_with_the_next_start(stack: Stack, another: str) -> None:
    """Until then the task is tried again and says what to do; `docker compose up` is enough, and the run goes on."""
    stack.wait_for_dag("flights")
    run_id = stack.trigger("flights")
    until(lambda: stack.tasks("flights", run_id)["transform"]["state"] == "up_for_retry", 120)
    said = stack.text("flights", run_id, "transform", 1)

    stack.compose("up", "--wait", "--wait-timeout", "300")

    assert stack.wait_for_run("flights", run_id) == "success"
    assert f"{another} is another image now" in said
    assert "If it was built anew, start the platform with it: make up" in said
    refused = stack.compose("logs", "--no-log-prefix", "docker-guard")
    assert f"{another} is another image now" in refused
