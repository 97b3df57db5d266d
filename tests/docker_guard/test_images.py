"""How the guard learns that the platform was started, whatever happens on the way."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from etl_docker_guard import _images
from etl_docker_guard._images import Images

NAME = "etl-platform/extract:local"


class Engine:
    """An Engine that has one image."""

    async def image(self, name: str) -> dict[str, Any]:
        """Give the image."""
        assert name == NAME
        return {"Id": "sha256:" + "1" * 64}


def test_watching_goes_on_after_a_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is away for a moment: that is told once a trouble, and the next start is noticed."""
    monkeypatch.setattr(_images, "_OFTEN", 0.05)
    started = tmp_path / "id"
    images = Images(cast("Any", Engine()), cast("Any", SimpleNamespace(images=[NAME])), started)

    async def watched() -> None:
        watch = asyncio.create_task(images.watch())
        await asyncio.sleep(0.5)
        started.touch()
        await asyncio.sleep(0.5)
        assert not watch.done()

    with capture_logs() as said:
        asyncio.run(watched())

    assert [entry["event"] for entry in said] == ["not_watched", "images"]
    assert said[0]["error"].startswith("FileNotFoundError: ")
