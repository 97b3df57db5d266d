"""Models web sources: an address, what is asked of it, and how its pages follow each other."""

import string
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from etl_contract._documents import DocumentSource, Format
from etl_contract._model import Model
from etl_contract._words import Name

Parameter = str | int | float
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-api-key", "api-key"}


class Paging(Model):
    """How an answer of many pages is read: by a link, a cursor, a page's number or an offset."""

    link: str | None = Field(
        default=None,
        description="Where the next page's address is: `header` for the Link header, or its path in the JSON.",
    )
    cursor: str | None = Field(default=None, description="Where the next page's cursor is in the JSON.")
    page: str | None = Field(default=None, description="The parameter that takes the number of the page.")
    offset: str | None = Field(default=None, description="The parameter that takes the number of records before.")
    param: str = Field(default="cursor", description="The parameter that takes the cursor.")
    first: Annotated[int, Field(ge=0)] = Field(default=1, description="The number of the first page.")
    size: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="How many records a whole page has: a shorter one is the last. Without it an empty one is.",
    )
    size_param: str | None = Field(default=None, description="The parameter that takes `size`, if there is one.")
    most: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="The most pages; an answer with more fails, instead of being cut."
    )

    @property
    def kind(self) -> Literal["link", "cursor", "page", "offset"]:
        """Name the way from page to page."""
        return next(kind for kind in ("link", "cursor", "page", "offset") if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(way is not None for way in (self.link, self.cursor, self.page, self.offset)) != 1:
            raise ValueError("give one of 'link', 'cursor', 'page' and 'offset'")
        if self.size_param is not None and self.size is None:
            raise ValueError("size: required where 'size_param' names its parameter")
        return self

    @property
    def needs_json(self) -> bool:
        """Say whether the way to the next page stands in the answer itself."""
        return self.cursor is not None or self.link not in (None, "header")


class HttpSource(DocumentSource):
    """Rows of a web server's answer, or of the pages of one."""

    http: str = Field(
        description="The address; `{start:%Y-%m-%d}` and `{end:...}` are the run's interval on the pipeline's clock."
    )
    params: dict[str, Parameter] = Field(
        default={}, description="Parameters of the query, by name; `{start:...}` and `{end:...}` as in the address."
    )
    headers: dict[str, str] = Field(default={}, description="Headers of the request, by name; none that is secret.")
    connection: Name | None = Field(
        default=None, description="The connection whose secrets go to its server, and to no other."
    )
    paging: Paging | None = Field(default=None, description="How to come to the next page, where there are several.")
    skip_unchanged: bool = Field(
        default=False,
        description="Whether a run is skipped if the server says that nothing changed since the last load.",
    )
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=60, description="The most seconds to wait for an answer, and for its next part."
    )
    tries: Annotated[int, Field(ge=1, le=20)] = Field(
        default=4, description="How often a request is sent, with growing pauses, before the stage gives up."
    )
    rate: Annotated[float, Field(gt=0, le=1000)] | None = Field(default=None, description="The most requests a second.")
    hosts: tuple[str, ...] = Field(
        default=(), description="Hosts of your own network that redirects and pages may lead to."
    )

    @property
    def location(self) -> str:
        """Give the address."""
        return self.http

    @property
    def connections(self) -> tuple[str, ...]:
        """Name the connections whose secrets extract must see."""
        named = (self.connection,) if self.connection else ()
        return (*named, "warehouse") if self.skip_unchanged else named

    @property
    def remote(self) -> bool:
        """Say whether extract needs a way out of the platform."""
        return True

    @property
    def reads_interval(self) -> bool:
        """Say whether it asks for the rows of the run's interval."""
        return any(fields(text) for text in (self.http, *map(str, self.params.values())))

    @field_validator("http")
    @classmethod
    def _an_address(cls, http: str) -> str:
        check_template(http)
        try:
            parts = urlsplit(http)
            host = parts.hostname
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"'{http}' is no address: {error}") from None
        if parts.scheme not in {"http", "https"} or not host or "{" in parts.netloc:
            raise ValueError(f"'{http}' is no address; write one such as https://example.org/orders.csv")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a password has no place in this file; put it into a connection")
        return http

    @field_validator("params")
    @classmethod
    def _templates(cls, params: dict[str, Parameter]) -> dict[str, Parameter]:
        for value in params.values():
            check_template(str(value))
        return params

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name.lower() in _SECRET_HEADERS:
                raise ValueError(f"'{name}' has no place in this file; put it into a connection")
            if not (name + value).isascii() or not (name + value).isprintable():
                raise ValueError(f"'{name}' has characters that a header cannot have")
        return headers

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.paging is not None and self.paging.needs_json and self.form is not Format.json:
            raise ValueError(f"paging: the next page's place in the JSON has no meaning for format '{self.form}'")
        if self.skip_unchanged and (self.paging is not None or self.reads_interval):
            raise ValueError("skip_unchanged: has no meaning where each run asks for something else, or for pages")
        return self


def fields(template: str) -> list[str]:
    """Name what a template asks for."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def check_template(template: str) -> None:
    """Refuse a template that asks for anything but the interval.

    Raises:
        ValueError: says what it asks for.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"'{template}' cannot be filled in: {error}; a brace that is none is written twice") from None
    for _, name, spec, conversion in parsed:
        if name is not None and (name not in {"start", "end"} or conversion or "{" in (spec or "")):
            raise ValueError(f"there is no value for '{{{name}}}'; write {{start:%Y-%m-%d}} or {{end:%Y-%m-%d}}")
