"""Binds the names in an author's SQL: `:start` becomes a variable of the database, never a piece of text.

A variable, and no parameter of a prepared statement, because views and macros take none.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

import duckdb

from etl_contract import SpecError, Value
from etl_transform._duckdb import identifier
from etl_transform._place import Place

# A name counts where a value can stand: outside texts, quoted names and comments, and not in a::type, a[1:b], {'a':b}.
_PIECE = re.compile(
    r"""
    (?: [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ )
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?<![\w:\])}'"\[]) [:$] (?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def set_values(connection: duckdb.DuckDBPyConnection, values: Mapping[str, Value]) -> None:
    """Tell the database the value of each name."""
    for name, value in values.items():
        connection.execute(f"set variable {identifier(name)} = $value", {"value": value})


def bind(text: str, names: Iterable[str], place: Place) -> str:
    """Let each `:name` (or `$name`) of a text mean the value of that name; lines stay as they are.

    Raises:
        SpecError: a name has no value.
    """
    known = list(names)

    def variable(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean ':{close[0]}'?" if close else ""
            line = text.count("\n", 0, match.start()) + 1
            raise SpecError(
                f"no value for :{name}", where=place.at(line), hint=f"There are :{', :'.join(sorted(known))}.{meant}"
            )
        return f"getvariable('{name}')"

    return _PIECE.sub(variable, text)
