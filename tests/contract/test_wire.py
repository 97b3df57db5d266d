"""What a container says, and what is believed of it."""

import json

import pytest

from etl_contract import Conversation, Dataset, Fault, LogLine, Outcome, StageResult, marked

NONCE = "0123456789abcdef"
RESULT = StageResult(
    outcome=Outcome.done,
    datasets=(Dataset(name="flights", uri="file:///runs/x/flights.parquet", rows=3, bytes=10, sha256="0" * 64),),
    rows_out=3,
)


def test_a_marked_line_is_the_result() -> None:
    """The result arrives whole, and stands in no log."""
    conversation = Conversation(NONCE)

    assert conversation.hear(marked(RESULT, NONCE)) is None
    assert conversation.result == RESULT


@pytest.mark.parametrize(
    "line",
    [
        marked(StageResult(outcome=Outcome.done), "another-nonce"),
        marked(StageResult(outcome=Outcome.done), ""),
        "::etl-result {}",
        " " + marked(StageResult(outcome=Outcome.done), NONCE),
        json.dumps({"event": marked(StageResult(outcome=Outcome.done), NONCE), "level": "info"}),
    ],
)
def test_no_other_line_poses_as_a_result(line: str) -> None:
    """A value of the data or a print of an author stays a line of the log."""
    conversation = Conversation(NONCE)

    heard = conversation.hear(line)

    assert conversation.result is None
    assert heard is not None


def test_a_result_that_is_none_is_told_and_not_believed() -> None:
    """A mark with nonsense behind it is an error in the log."""
    conversation = Conversation(NONCE)

    heard = conversation.hear(f"::etl-result {NONCE} {{'outcome'")

    assert conversation.result is None
    assert heard is not None
    assert heard.level == "error"


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        (
            '{"event": "extracted flights", "level": "info", "rows": 9}',
            LogLine("info", "extracted flights", {"rows": 9}),
        ),
        ('{"event": "x", "level": "warning", "timestamp": "now"}', LogLine("warning", "x", {})),
        ("a print of the author", LogLine("info", "a print of the author", {})),
        ('{"no": "event"}', LogLine("info", '{"no": "event"}', {})),
        ("{broken", LogLine("info", "{broken", {})),
        ("[1, 2]", LogLine("info", "[1, 2]", {})),
        ("   ", None),
    ],
)
def test_every_other_line_goes_into_the_log(line: str, heard: LogLine | None) -> None:
    """A structured line keeps its level and facts; any other is shown as it is."""
    assert Conversation(NONCE).hear(line) == heard


def test_a_fault_says_what_where_and_what_next() -> None:
    """The three parts of a message stand one a line."""
    fault = Fault(kind="DataError", problem="a value is no date", where="row 3", hint="Correct it.")

    assert str(fault) == "DataError: a value is no date\n  where: row 3\n  next:  Correct it."
