"""Holds the base of every model: frozen, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value that is checked once, at the edge, and never changes after."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=False)
