"""The sources that docs/pipelines.md shows, each read from a server, an inbox and a store of the tests' own."""

import gzip
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import yaml

from tests.docs.pages import PIPELINES, blocks
from tests.extract.reading import Extracting
from tests.extract.server import WebServer

SHOWN = {
    f"{next(iter(source))} {name}": source
    for block in blocks(PIPELINES, "yaml")
    for name, source in (yaml.safe_load(block.text).get("extract") or {}).items()
    if {"http", "files"} & source.keys()
}
PAID = {"id": 7, "amount": Decimal("1200.50"), "paid": True, "ordered_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC)}
ROWS: dict[str, list[dict[str, Any]]] = {
    "http rates": [{"day": date(2026, 10, 31), "rate": Decimal("1.083400")}],
    "files orders": [PAID | {"note": "it's", "file": "orders/a.csv"}],
    "http orders": [{"id": 1, "amount": Decimal("2.50"), "ordered_at": None}],
    "http countries": [{"code": "FR"}],
    "http by_header": [{"id": "1"}],
    "http by_link": [{"id": "1"}, {"id": "2"}],
    "http by_number": [{"id": "1"}],
    "http by_offset": [{"id": "1"}],
    "files stock": [{"item": "bolt", "pieces": 5}],
    "files plan": [{"month": "2026-02-01", "target": "12.5"}],
    "files clicks": [{"id": "1"}],
    "files prices": [{"price": 1}],
}


@pytest.fixture
def extracting(tmp_path: Path, warehouse: str) -> Extracting:
    """Read single sources, with the warehouse's ledger."""
    assert warehouse
    return Extracting(tmp_path)


def _workbook() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.add_worksheet("2025")
        sheet = book.add_worksheet("2026")
        sheet.write_row(0, 0, ["month", "target"])
        sheet.write_datetime(1, 0, datetime.fromisoformat("2026-02-01"))
        sheet.write_number(1, 1, 12.5)
    return file.getvalue()


@pytest.fixture
def world(web: WebServer, extracting: Extracting, bucket: Any) -> WebServer:  # noqa: ANN401 - boto3's
    """Have what the page's examples are about."""
    web.serve("/rates/2026-11-01.csv", "day;rate\n31.10.2026;1,0834\n")
    web.serve("/v2/orders", '{"data": {"items": [{"id": 1, "amount": 2.5}], "next": null}}')
    web.serve("/countries.csv", "code\nFR\n", headers={"ETag": '"1"'})
    web.serve("/a.json", '[{"id": 1}]')
    web.serve("/b", '{"items": [{"id": 1}], "links": {"next": "/b2"}}')
    web.serve("/b2", '{"items": [{"id": 2}], "links": {}}')
    web.serve("/c.json", '[{"id": 1}]')
    web.serve("/d.ndjson", '{"id": 1}\n')
    extracting.connection("shop", uri=web.url, token="secret")  # noqa: S106 - of no server
    shop = "made by\nthe shop\nid,amount,paid,ordered_at,note\n7,'1.200,50',yes,31.01.2026 10:30,'it\\'s'\n"
    extracting.put("orders/a.csv", shop.encode("windows-1252"))
    stock = io.BytesIO()
    with zipfile.ZipFile(stock, "w") as archive:
        archive.writestr("a.csv", "bolt,5\n")
        archive.writestr("readme.txt", "hello")
    extracting.put("2026/stock-1.zip", stock.getvalue())
    extracting.put("plan.xlsx", _workbook())
    bucket.put_object(Key="clicks/1/a.ndjson.gz", Body=gzip.compress(b'{"id": 1}\n'))
    prices = io.BytesIO()
    pq.write_table(pa.table({"price": [1]}), prices)
    bucket.put_object(Key="prices/a.parquet", Body=prices.getvalue())
    return web


@pytest.mark.parametrize("name", SHOWN)
def test_a_source_that_the_page_shows_is_read(world: WebServer, extracting: Extracting, name: str) -> None:
    """Pasted as it stands, with only the server's address another."""
    source = dict(SHOWN[name])
    if "http" in source:
        source["http"] = world.url + source["http"].partition("example.org")[2]

    assert extracting.read(**source).rows == ROWS[name]
