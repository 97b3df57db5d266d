"""The example of docs/pipelines.md: it sets aside what it says, and lets the rest go on."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import yaml

from etl_contract import Expectation
from etl_transform.__main__ import transform
from tests.docs.pages import PIPELINES, blocks
from tests.transform.expecting import rows_of, set_aside, task_of

ORDER = {
    "id": 1,
    "customer_id": 7,
    "status": "paid",
    "price": 9.5,
    "country": "FR",
    "comment": None,
    "ordered_at": datetime.fromisoformat("2026-01-31T12:00Z"),
    "shipped_at": None,
}


def test_the_example_of_the_docs_checks_what_it_says(tmp_path: Path) -> None:
    """Each rule that sets rows aside finds the row that is made for it; the others only warn, or hold."""
    (example,) = [yaml.safe_load(block.text) for block in blocks(PIPELINES, "yaml") if "\nexpect:" in block.text]
    wrong = {
        "status one_of": {"status": "lost"},
        "price in_range": {"price": -1.0},
        "country matches": {"country": "fr"},
        "ordered_at in_range": {"ordered_at": datetime.fromisoformat("2019-12-31T23:59Z")},
        "shipped after it was ordered": {"shipped_at": datetime.fromisoformat("2026-01-31T11:59Z")},
    }
    only_warned = [{"comment": "x" * 2001}, {"price": 10_000.0, "country": "IT"}]
    rows = [{**ORDER, **other} for other in (*wrong.values(), *only_warned)]
    rows += [ORDER] * (500 - len(rows))  # so that each rule is breached by less than a hundredth
    orders = pa.Table.from_pylist([{**row, "id": number} for number, row in enumerate(rows, start=1)])

    result = transform(task_of(tmp_path, {"orders": orders}, example["expect"]))

    reasons = set_aside(result)
    assert [reason.startswith(rule) for reason, rule in zip(reasons.values(), wrong, strict=True)] == [True] * len(
        wrong
    )
    assert list(reasons) == [1, 2, 3, 4, 5]
    assert rows_of(result.datasets[0])["id"].to_pylist() == list(range(6, 501))
    warned = [check.rule for check in result.checks if check.breaches and check.on_breach == "warn"]
    assert warned == ["comment length [null, 2000]", "price < 10000 or country in ('FR', 'DE')"]
    part = Expectation.model_validate(example["expect"]["orders"]).warehouse_part()
    assert part
    assert part.table
    assert part.table.change == (0.5, 2)
