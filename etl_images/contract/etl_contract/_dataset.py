"""Describes a file of rows that one stage hands to the next."""

import re
from typing import Annotated, Final

from pydantic import Field

from etl_contract._model import Model

# Names alone: what a URI writes out as %2e, what begins a query, and what leads up again are none.
_PLAIN_PATH: Final = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


class Dataset(Model):
    """A Parquet file under the run's URI: a reference with a checksum, never the rows."""

    name: str
    uri: str
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def is_below(self, folder_uri: str) -> bool:
        """Say whether the file is one of a folder, however its URI is written."""
        folder = f"{folder_uri.rstrip('/')}/"
        return self.uri.startswith(folder) and _PLAIN_PATH.fullmatch(self.uri.removeprefix(folder)) is not None
