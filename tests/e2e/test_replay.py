"""Rows come back from quarantine after a fix, by the command that people run."""

import pytest

from tests._stack import Stack

YAML = """\
extract:
  airlines: {{sql: source, {reads}}}
expect:
  airlines:
    on_breach: quarantine
    columns: {{name: {{matches: "{matches}"}}}}
load:
  airlines: {{table: mart.{name}, mode: upsert, key: [carrier]}}
"""


NUMBERED = 'query: "select *, row_number() over (order by carrier) as number from airlines", cursor: number'


@pytest.mark.parametrize(
    ("name", "reads", "first"),
    [("mended", "table: airlines", "extract"), ("mended_cursor", NUMBERED, "transform")],
)
def test_a_fix_brings_rows_back(stack: Stack, name: str, reads: str, first: str) -> None:
    """A run reads again, or from what it read where its source would give nothing new; then all rows are there."""
    too_strict = {f"{name}.yaml": YAML.format(name=name, reads=reads, matches=".*Inc[.]")}
    with stack.pipeline(name, too_strict):
        run_id = stack.run(name)
        before = int(stack.one("warehouse", f"select count(*) from mart.{name}")["count"])  # noqa: S608 - our own
        aside = int(_in_quarantine(stack, name))
        (stack.pipelines / f"{name}.yaml").write_text(YAML.format(name=name, reads=reads, matches=".*"))

        said = stack.script("setup/replay.sh", name)

        assert f"{name}: replaying {run_id} from {first}" in said
        assert said.endswith(f"{name}: nothing is in quarantine any more\n")
        assert 0 < before < 16
        assert aside == 16 - before
        assert stack.one("warehouse", f"select count(*) from mart.{name}") == {"count": "16"}  # noqa: S608 - our own
        assert _in_quarantine(stack, name) == "0"


def _in_quarantine(stack: Stack, name: str) -> str:
    query = "select count(*) from quarantine.rows where pipeline = :'name'"
    return stack.one("warehouse", query, name=name)["count"]
