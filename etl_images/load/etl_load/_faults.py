"""Says of PostgreSQL's errors what should happen next."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from etl_contract import DataError, SpecError, Unavailable

# What passes by itself, by class or code of https://www.postgresql.org/docs/17/errcodes-appendix.html:
# connection, serialization, deadlock, resources, operator intervention (shutdown, cancel), input/output, lock timeout.
_PASSING = ("08", "40", "53", "57", "58", "25P03", "55006", "55P03")
_ROWS = ("21", "22", "23")
_SPEC = ("42", "3D", "3F", "0A", "2B", "54", "55000")

_AGAIN = "It is tried again. If it stays, look at the warehouse: is it up, full, or locked by someone?"


@contextmanager
def explaining(where: str) -> Iterator[None]:
    """Turn an error of the driver into one that is named for what should happen next.

    Raises:
        Unavailable: the warehouse is not there, is going down, or somebody holds what the load needs.
        DataError: the rows do not fit the table.
        SpecError: something is not there, or may not be touched.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise explained(error.orig, where) from error
    except psycopg.Error as error:
        raise explained(error, where) from error


def explained(error: psycopg.Error, where: str) -> Exception:
    """Name an error of PostgreSQL for what should happen next; a bug stays what it is."""
    code = error.sqlstate or ""
    diagnosis = error.diag
    message = ": ".join(filter(None, (diagnosis.message_primary or str(error).strip(), diagnosis.message_detail)))
    hint = diagnosis.message_hint or ""
    if code.startswith(_PASSING) or (not code and isinstance(error, psycopg.OperationalError)):
        return Unavailable(message, where=where, hint=_AGAIN)
    if code.startswith(_ROWS):
        column = f", column '{diagnosis.column_name}'" if diagnosis.column_name else ""
        return DataError(message, where=f"{where}{column}", hint=hint or "Correct the rows in the transform.")
    if code == "42501":
        return SpecError(message, where=where, hint="Give the role 'load' the right, or name another table.")
    if code.startswith(_SPEC):
        return SpecError(message, where=where, hint=hint or "Correct the pipeline, or the table.")
    return error
