"""The DAG of a file with problems."""

from pathlib import Path

import pytest

from etl_platform._dag import build_dags


@pytest.mark.parametrize(("line", "paused"), [("paused: true\n", True), ("paused: false\n", False), ("", False)])
def test_a_file_with_problems_waits_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, *, paused: bool
) -> None:
    """Airflow asks only when it first sees a pipeline: one that is mended later must not start then by itself."""
    (tmp_path / "half.yaml").write_text(f"{line}extract:\n  a: {{htpp: x}}\n")
    monkeypatch.setenv("ETL_PIPELINES", str(tmp_path))

    dag = build_dags()["half"]

    assert "broken" in dag.tags
    assert dag.is_paused_upon_creation is paused
