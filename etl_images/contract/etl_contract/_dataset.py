"""Describes a file of rows that one stage hands to the next."""

from typing import Annotated

from pydantic import Field

from etl_contract._model import Model


class Dataset(Model):
    """A Parquet file under the run's URI: a reference with a checksum, never the rows."""

    name: str
    uri: str
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
