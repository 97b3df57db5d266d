"""Models sources of files: a pattern in the inbox, or a URI with one."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from etl_contract._documents import DocumentSource
from etl_contract._words import Column, Name

REMOTE = ("s3", "gs", "abfs", "hdfs")


class FilesSource(DocumentSource):
    """Rows of files, each of which is taken once."""

    files: str = Field(
        description="The files: a pattern in the inbox, such as `orders/*.csv` or `**/*.csv.gz`, "
        "or a URI with one, such as `s3://bucket/orders/*.csv`."
    )
    connection: Name | None = Field(default=None, description="The connection with the keys of the URI's store.")
    file_column: Column | None = Field(
        default=None, description="The name of a column to be added that tells which file each row is from."
    )

    @property
    def location(self) -> str:
        """Give the pattern."""
        return self.files

    @property
    def connections(self) -> tuple[str, ...]:
        """Name the connections whose secrets extract must see; the warehouse has the list of files taken."""
        return (self.connection, "warehouse") if self.connection else ("warehouse",)

    @property
    def remote(self) -> bool:
        """Say whether extract needs a way out of the platform."""
        return "://" in self.files

    @property
    def reads_interval(self) -> bool:
        """Say that it reads what is new, whatever the run's interval."""
        return False

    @field_validator("files")
    @classmethod
    def _a_pattern(cls, files: str) -> str:
        scheme, found, path = files.partition("://")
        if found and scheme not in REMOTE:
            raise ValueError(f"'{files}' is of no known store; write one of: {', '.join(f'{s}://' for s in REMOTE)}")
        if found and (not re.fullmatch(r"[\w.-]+", path.partition("/")[0]) or not path.partition("/")[2]):
            raise ValueError(f"'{files}' names no file of a bucket; write one such as s3://bucket/orders/*.csv")
        if not found and (path := files).startswith("/"):
            raise ValueError(f"'{files}' is absolute; write a pattern below the inbox, such as orders/*.csv")
        if {"", ".", ".."} & set(path.split("/")):
            raise ValueError(f"'{files}' has an empty part, a '.' or a '..'; write a pattern such as orders/*.csv")
        return files

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.connection is not None and not self.remote:
            raise ValueError("connection: has no meaning for files of the inbox")
        return self
