"""Models what a source remembers from one run to the next: extract reads it, load commits it with the rows.

    etl.watermarks, etl.files ──► extract ── Watermark, TakenFile ──► (StageResult, LoadTask) ──► load's own transaction

So a run that fails after extract remembers nothing, and its retry reads the same rows again.
"""

from typing import Annotated

from pydantic import Field

from etl_contract._model import Model


class Watermark(Model):
    """How far a source has been read: the largest value of its cursor, or the version that a web server named.

    Args:
        source: the source, as the pipeline names it.
        field: the cursor's column, or `etag` or `last-modified` of a web source.
        value: the value as text that casts back without loss: ISO 8601, with offset if it is an instant, or digits.
        cursor: whether it is a cursor's, so that the rows are those after `since`, and no run may come in between.
        since: the watermark that the rows begin at, none where they begin at the first.
    """

    source: str
    field: str
    value: str
    cursor: bool = False
    since: str | None = None


class TakenFile(Model):
    """A file that a source has taken, and takes once; one with another checksum is another file."""

    source: str
    uri: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
