"""Models what a stage took of the machine."""

from typing import Annotated, Self

from pydantic import Field

from etl_contract._model import Model


class Costs(Model):
    """What a stage's work took.

    Seconds are wall and processor time of the stage's process, `peak_memory` its largest resident size in bytes.
    `bytes_in` are those of the files that it read and those that came over its network.
    """

    rows_in: int = 0
    rows_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0


class StageUse(Costs):
    """The costs of a stage that is done, as the report tells them; `memory_limit` is what it might have taken."""

    stage: str
    rows_quarantined: int = 0
    memory_limit: Annotated[int, Field(ge=0)] = 0

    @classmethod
    def of(cls, costs: Costs, **more: str | int) -> Self:
        """Take over the costs of a result."""
        return cls.model_validate({name: getattr(costs, name) for name in Costs.model_fields} | more)
