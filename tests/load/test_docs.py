"""What docs/pipelines.md shows of load works: each example is loaded, twice."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
import yaml

from etl_contract import Outcome
from etl_load._load import load_into
from tests.docs.pages import PIPELINES, Block, blocks
from tests.load.warehouse import Loading

EXAMPLES = [block for block in blocks(PIPELINES, "yaml") if set(yaml.safe_load(block.text)) == {"load"}]
DAY = date(2024, 3, 1)
ORDERS = pa.table(
    {
        "id": [1, 2],
        "day": [DAY, DAY],
        "customer": ["Ada", "Zoë"],
        "amount": [Decimal("12.50"), None],
        "updated_at": [datetime(2024, 3, 1, 12, tzinfo=UTC)] * 2,
        "cancelled": [False, True],
        "flight_date": [DAY, DAY],
        "origin": ["JFK", "LGA"],
        "carrier": ["AA", "UA"],
    }
)


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_loads(loading: Loading, block: Block) -> None:
    """A section `load` of the page loads rows, and the same rows again change nothing."""
    tables = {name: (ORDERS, target) for name, target in yaml.safe_load(block.text)["load"].items()}
    result = load_into(loading.warehouse.uri(), loading.task(tables))
    before = [loading.warehouse.rows(load.table) for load in result.loads]

    again = load_into(loading.warehouse.uri(), loading.task(tables, run_id="again"))

    assert (result.outcome, again.outcome) == (Outcome.done, Outcome.done)
    assert all(before)
    assert [loading.warehouse.rows(load.table) for load in again.loads] == before
