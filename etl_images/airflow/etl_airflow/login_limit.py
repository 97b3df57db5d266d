"""Limits attempts to log in, by account and by address, for all workers of the api-server together.

    RememberClient ──► the form, the token ──► SecurityManager ──► admit ──► too many? 429, until the wait is over
                                                                     └──► counted as failed; succeed takes it back

An attempt is counted before the password is looked at, so that many at once are no way around. One that is refused is
not counted: nobody who knocks on makes the wait longer, or the table larger. The numbers stand in
config/airflow/webserver_config.py.
"""

import hashlib
import ipaddress
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Engine, RowMapping, text

log = logging.getLogger(__name__)

TABLE = """
    create table if not exists etl_logins (
        account text,
        address text,
        failures integer not null default 0,
        last double precision not null default 0,
        until double precision not null default 0,
        succeeded double precision not null default 0,
        primary key (account, address)
    )
"""
# What `account` or `address` says in a line that is about all of them.
ANY = ""
_FORGET = 3600.0
_FAMILIAR = 30 * 86_400.0
Line = tuple[str, str]
_client: ContextVar[str] = ContextVar("client", default=ANY)


class Limit(NamedTuple):
    """How many failures cost nothing, and how long one must wait after the next: twice as long each time."""

    free: int
    first: float
    longest: float

    def wait(self, failures: int) -> float:
        """Give the seconds until the next attempt."""
        beyond = failures - self.free
        return 0.0 if beyond < 0 else min(self.longest, self.first * 2.0 ** min(beyond, 32))


class Limits(NamedTuple):
    """What is counted: an account from an address, all accounts from an address, an account from all addresses."""

    pair: Limit
    address: Limit
    account: Limit

    def of(self, account: str, address: str) -> Limit:
        """Give the limit that a line of the table is about."""
        if account == ANY:
            return self.address
        return self.account if address == ANY else self.pair


class TooManyAttempts(Exception):
    """Somebody must wait before the next attempt."""

    def __init__(self, wait: float) -> None:
        self.seconds = math.ceil(wait)
        super().__init__(f"Too many attempts to log in. Wait {self.seconds} s, then try again.")


class Attempt:
    """An attempt that was admitted, and counts as failed until it has succeeded."""

    def __init__(self, engine: Engine, account: str, address: str, counted: Mapping[Line, float]) -> None:
        self._engine = engine
        self._pair = (account, address)
        self._counted = counted

    @classmethod
    def admit(cls, engine: Engine, limits: Limits, account: str) -> Self:
        """Count an attempt on an account, from the address of the request.

        Raises:
            TooManyAttempts: there were too many failures before.
        """
        address = _client.get()
        pair = (account, address)
        lines = sorted({pair, (ANY, address), (account, ANY)})
        now = time.time()
        with engine.begin() as connection:
            # Whoever must wait is known before a line is made or locked for him.
            _decisive(_known(connection, lines), pair, now)
            found = _decisive({line: _locked(connection, *line) for line in lines}, pair, now)
            counted = {line: _count(connection, limits, line, found[line], now) for line in found}
            _forget(connection, now)
        return cls(engine, account, address, counted)

    def succeed(self) -> None:
        """Take the failure back, and remember that this account logs in from here."""
        with self._engine.begin() as connection:
            for (account, address), until in sorted(self._counted.items()):
                connection.execute(
                    text("""update etl_logins set failures = greatest(failures - 1, 0),
                            until = case when until = :until then 0 else until end
                            where account = :account and address = :address"""),
                    {"account": account, "address": address, "until": until},
                )
            connection.execute(
                text("""update etl_logins set failures = 0, until = 0, succeeded = :now
                        where account = :account and address = :address"""),
                {"account": self._pair[0], "address": self._pair[1], "now": time.time()},
            )


class RememberClient:
    """Middleware that lets `admit` know where a request comes from."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Pass a request on."""
        _client.set(place(scope["client"][0] if scope.get("client") else ""))
        await self._app(scope, receive, send)


def account_of(name: str) -> str:
    """Name an account that there is not, without keeping what was typed: it may be a password in the wrong field."""
    return f"unknown:{hashlib.sha256(name.casefold().encode(errors='replace')).hexdigest()[:32]}"


def place(host: str) -> str:
    """Give what counts as one address: of IPv6, the network of a household."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "nowhere"
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _known(connection: Connection, lines: Sequence[Line]) -> dict[Line, RowMapping]:
    """Give those lines of the table that are there."""
    statement = text("select * from etl_logins where account = :account and address = :address")
    found = {
        line: connection.execute(statement, {"account": line[0], "address": line[1]}).mappings().first()
        for line in lines
    }
    return {line: row for line, row in found.items() if row is not None}


def _locked(connection: Connection, account: str, address: str) -> RowMapping:
    """Give a line of the table, which is made where it is not there, and hold it until the end of the transaction."""
    statement = text("""insert into etl_logins (account, address) values (:account, :address)
                        on conflict (account, address) do update set account = excluded.account returning *""")
    return connection.execute(statement, {"account": account, "address": address}).mappings().one()


def _decisive(found: dict[Line, RowMapping], pair: Line, now: float) -> dict[Line, RowMapping]:
    """Give the lines that an attempt counts in.

    Raises:
        TooManyAttempts: one of them says that it must wait.
    """
    if pair in found and found[pair]["succeeded"] > now - _FAMILIAR:
        # What others do elsewhere, or with other accounts, is no hindrance where somebody logs in usually.
        found = {pair: found[pair]}
    wait = max((line["until"] for line in found.values()), default=now) - now
    if wait > 0:
        log.warning("Refused an attempt to log in as %s from %s for %d s.", *pair, math.ceil(wait))
        raise TooManyAttempts(wait)
    return found


def _count(connection: Connection, limits: Limits, line: Line, known: RowMapping, now: float) -> float:
    """Count a failure; give until when the next attempt must wait."""
    failures = 1 + (known["failures"] if known["last"] > now - _FORGET else 0)
    until = now + limits.of(*line).wait(failures)
    connection.execute(
        text("""update etl_logins set failures = :failures, last = :now, until = :until
                where account = :account and address = :address"""),
        {"failures": failures, "now": now, "until": until, "account": line[0], "address": line[1]},
    )
    return until


def _forget(connection: Connection, now: float) -> None:
    """Delete what nobody needs any more, but for what another attempt holds."""
    connection.execute(
        text("""delete from etl_logins where (account, address) in (select account, address from etl_logins
                where last < :last and succeeded < :familiar for update skip locked)"""),
        {"last": now - _FORGET, "familiar": now - _FAMILIAR},
    )
