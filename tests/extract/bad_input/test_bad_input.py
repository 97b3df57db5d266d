"""Bad documents: each is told in words that help, none with a traceback, none with a row lost, none in much memory."""

import os
import subprocess
import sys

import pytest

from etl_contract import Conversation, DataError, Outcome, StageResult
from tests.extract.bad_input.cases import BAD, ODD, WIDE, Case, Odd
from tests.extract.reading import Extracting
from tests.extract.server import WebServer

MOST_MEMORY = 400 * 1024**2  # of the 512 MiB that extract has by default


def _name(case: Case | Odd) -> str:
    return f"{case.name.partition('.')[2]}: {case.id}"


@pytest.mark.parametrize("case", BAD, ids=_name)
def test_a_bad_document_is_told(web: WebServer, extracting: Extracting, case: Case) -> None:
    """The run fails with what is wrong, where, and what to do."""
    with pytest.raises(DataError) as error:
        extracting.read(http=web.serve(f"/{case.name}", case.make()), **case.about)

    told = str(error.value)
    assert [words for words in case.told if words not in told] == [], told
    assert told.startswith("extract.orders")
    assert error.value.hint
    assert len(told) < 10_000


@pytest.mark.parametrize("odd", ODD, ids=_name)
def test_an_odd_document_is_read(web: WebServer, extracting: Extracting, odd: Odd) -> None:
    """What only looks bad loses nothing."""
    assert extracting.read(http=web.serve(f"/{odd.name}", odd.make()), **odd.about).rows == odd.rows


@pytest.mark.parametrize("case", [case for case in BAD if case.heavy], ids=_name)
def test_a_bad_document_needs_little_memory(web: WebServer, extracting: Extracting, case: Case) -> None:
    """The stage as it runs: its result is a fault, its output has no traceback, its memory is bounded."""
    output, result = _run(extracting, {"http": web.serve(f"/{case.name}", case.make())} | case.about)

    assert (result.outcome, result.fault.kind) == (Outcome.failed, "DataError")
    assert "Traceback" not in output
    assert result.peak_memory < MOST_MEMORY


def test_wide_and_long_documents_need_little_memory(web: WebServer, extracting: Extracting) -> None:
    """5,000 columns, and fields of 10 MB, are read."""
    wide = ",".join(f"c{number}" for number in range(WIDE)) + "\n" + ("1," * (WIDE - 1) + "1\n") * 2_000
    long = "id,text\n" + f"1,{'x' * 10_000_000}\n" * 5

    for text, rows in ((wide, 2_000), (long, 5)):
        output, result = _run(extracting, {"http": web.serve("/o.csv", text)})
        assert (result.outcome, result.rows_out) == (Outcome.done, rows), output
        assert result.peak_memory < MOST_MEMORY


def test_memory_does_not_grow_with_the_rows(web: WebServer, extracting: Extracting) -> None:
    """Five times the rows need no more than a tenth more memory."""
    line = "12345,some words,2026-01-31,10.50\n"
    peaks = []
    for rows in (400_000, 2_000_000):
        url = web.serve("/o.csv", "id,text,day,amount\n" + line * rows)
        columns = {"id": "bigint", "day": "date", "amount": "decimal(10,2)"}
        output, result = _run(extracting, {"http": url, "columns": columns})
        assert result.rows_out == rows, output
        peaks.append(result.peak_memory)

    assert peaks[1] < peaks[0] * 1.1


# A process inherits the largest size of the one that started it; what /proc tells begins anew.
STAGE = """
import atexit, pathlib, re, runpy
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: print("peak", re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]))
runpy.run_module("etl_extract", run_name="__main__")
"""


def _run(extracting: Extracting, source: dict) -> tuple[str, StageResult]:
    """Run the stage in a process of its own; give what it prints, and its result with the memory that it took."""
    task = extracting.task(orders=source).model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", STAGE],
        env={**os.environ, "ETL_TASK": task, "ETL_NONCE": "n0nce"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    conversation = Conversation("n0nce")
    for line in done.stdout.splitlines():
        conversation.hear(line)
    assert conversation.result is not None, done.stdout + done.stderr
    peak = int(done.stdout.rpartition("peak ")[2]) * 1024
    return done.stdout + done.stderr, conversation.result.model_copy(update={"peak_memory": peak})


def test_the_corpus_is_large_enough() -> None:
    """It has what people have met, and may only grow."""
    assert len(BAD) >= 100
