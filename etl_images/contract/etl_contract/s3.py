"""Opens an S3 store by the connection that names its keys; for the stages that have pyarrow."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow.fs

from etl_contract._errors import SpecError

_OPTIONS = ("region", "endpoint_override", "scheme")
_REFUSED = re.compile(r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|InvalidAccessKeyId|(?:status|code|\])\W{1,4}403\b")
_QUOTED = re.compile(r"'[^']*'")


def s3(connection: str, address: str, bucket: str, where: str) -> pyarrow.fs.S3FileSystem:
    """Open the store.

    Args:
        connection: its name.
        address: what its file `uri` says: s3://KEY:SECRET@BUCKET?region=eu-west-1.
        bucket: the one that is wanted.
        where: the field that wants it.

    Raises:
        SpecError: the connection is of another kind or for another bucket, or has an option that there is not.
    """
    parts = urlsplit(address)
    if parts.scheme != "s3":
        hint = f"Its file 'uri' is one such as s3://KEY:SECRET@{bucket}?region=eu-west-1."
        raise SpecError(f"connection '{connection}' is of kind '{parts.scheme}'", where=where, hint=hint)
    if parts.hostname and parts.hostname != bucket:
        hint = "Each connection holds the keys of one bucket; leave the bucket out of its 'uri' for all."
        raise SpecError(f"connection '{connection}' is for another bucket", where=where, hint=hint)
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(options.keys() - set(_OPTIONS)):
        hint = f"Use {', '.join(_OPTIONS[:-1])} and {_OPTIONS[-1]}."
        raise SpecError(f"connection '{connection}' has an option '{unknown[0]}'", where=where, hint=hint)
    return pyarrow.fs.S3FileSystem(
        access_key=unquote(parts.username or "") or None,
        secret_key=unquote(parts.password or "") or None,
        anonymous=not parts.username,
        connect_timeout=10,
        request_timeout=60,
        **options,
    )


def is_refusal(message: str) -> bool:
    """Tell whether a store says that it knows the caller not, or that he may not; what it quotes are files' names."""
    return _REFUSED.search(_QUOTED.sub("", message)) is not None
