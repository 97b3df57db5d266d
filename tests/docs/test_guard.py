"""docs/guard.md: the calls that it lists are all that the guard understands."""

from etl_docker_guard._calls import _CALLS, _CONTAINER, _IMAGE
from tests.docs.pages import ROOT, first_cells, section

GUARD = ROOT / "docs" / "guard.md"


def test_every_call_is_described_and_nothing_else() -> None:
    """The table is that of the code, and the health check, which asks the Engine for a ping only."""
    understood = {
        f"{method} {path.replace(_CONTAINER, '/containers/ID').replace(_IMAGE, '/images/NAME/json')}"
        for _, method, path, _ in _CALLS
    }

    assert set(first_cells(section(GUARD, "What it allows"))) == understood | {"GET /health"}
