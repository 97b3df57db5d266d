"""Models what a stage took of the machine, as the report tells it."""

from typing import Annotated

from pydantic import Field

from etl_contract._model import Model


class StageUse(Model):
    """Rows, seconds and bytes of a stage that is done; `memory_limit` is what it might have taken at most."""

    stage: str
    rows_in: int = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    memory_limit: Annotated[int, Field(ge=0)] = 0
