"""Each rule about PostgreSQL, by its number, with each database and each role: asked of the catalogs of a real server.

What is not kept has an exception in config/scan.yaml, as in tests/rules. That the rules do what they are for is tried
statement by statement in test_forbidden.py, test_rights.py, test_entry.py and test_tls.py.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from etl_scan import Check
from tests.postgres.server import ROOT, Server
from tests.rules.rules import Rule, cases, config, judged, rule

pytestmark = pytest.mark.integration

DATABASES = ["airflow", "source", "warehouse", "postgres"]
# Of each database whose tables others read: who makes them.
OWNERS = {"source": "source_owner", "warehouse": "load"}
ROLES = re.findall(r"^ +\('(\w+)', +\d+, '", (ROOT / "config" / "postgres" / "roles.sql").read_text(), re.MULTILINE)
OF_DATABASES: list[Rule] = []
OF_OWNERS: list[Rule] = []
OF_ROLES: list[Rule] = []
OF_SERVER: list[Rule] = []
LONGEST_WAIT = 15 * 60


class Asked(NamedTuple):
    """The server, and whom a rule is about."""

    server: Server
    who: str

    def one(self, statement: str, role: str = "postgres", database: str = "") -> str:
        """Give the one value of a statement, in which :who is who it is about."""
        return self.server.sql(statement.replace(":who", f"'{self.who}'"), role, database).strip()

    def seconds(self, setting: str) -> int:
        """Give a setting of a session of the role; 0 is without end."""
        statement = "select extract(epoch from current_setting('SETTING')::interval)::int"
        return int(self.one(statement.replace("SETTING", setting), self.who))


@rule("PostgreSQL 1", title="of a database, PUBLIC has nothing", among=OF_DATABASES)
def _public(it: Asked) -> str | None:
    said = it.one(
        "select string_agg(privilege_type, ', ') from pg_database,"
        " aclexplode(coalesce(datacl, acldefault('d', datdba))) where datname = :who and grantee = 0"
    )
    return f"PUBLIC has {said}" if said else None


@rule("PostgreSQL 2", title="in its schema public, PUBLIC makes nothing", among=OF_DATABASES)
def _schema(it: Asked) -> str | None:
    said = it.one("select has_schema_privilege('public', 'public', 'create')", database=it.who)
    return None if said == "f" else "PUBLIC may create there"


@rule("PostgreSQL 3", title="what it makes is readable for whom it is meant, by default privileges", among=OF_OWNERS)
def _defaults(it: Asked) -> str | None:
    owner = OWNERS[it.who]
    said = Asked(it.server, owner).one(
        "select count(*), count(*) filter (where privilege_type <> 'SELECT') from pg_default_acl, aclexplode(defaclacl)"
        " where defaclrole = :who::regrole and grantee <> defaclrole",
        database=it.who,
    )
    given, more = map(int, said.split("|"))
    return None if given and not more else f"{owner} gives {given} rights, {more} of them more than to read"


@rule("PostgreSQL 4", title="it inherits from no other role", among=OF_ROLES)
def _inherits(it: Asked) -> str | None:
    said = it.one("select string_agg(roleid::regrole::text, ', ') from pg_auth_members where member = :who::regrole")
    return f"it is a member of {said}" if said else None


@rule("PostgreSQL 5", title="its connections are limited", among=OF_ROLES)
def _connections(it: Asked) -> str | None:
    said = int(it.one("select rolconnlimit from pg_roles where rolname = :who"))
    return None if said > 0 else f"its limit is {said}"


@rule("PostgreSQL 6", title="a statement of it ends: statement_timeout", among=OF_ROLES)
def _statement(it: Asked) -> str | None:
    return None if it.seconds("statement_timeout") else "it may run for ever"


@rule("PostgreSQL 7", title="a transaction that does nothing ends: idle_in_transaction_session_timeout", among=OF_ROLES)
def _idle(it: Asked) -> str | None:
    return None if it.seconds("idle_in_transaction_session_timeout") else "it may keep its locks for ever"


@rule("PostgreSQL 8", title="it waits for no lock longer than a quarter of an hour: lock_timeout", among=OF_ROLES)
def _lock(it: Asked) -> str | None:
    """Count the time that a statement has too: a wait is part of it."""
    ends = [seconds for name in ("lock_timeout", "statement_timeout") if (seconds := it.seconds(name))]
    return None if ends and min(ends) <= LONGEST_WAIT else f"it waits for up to {min(ends, default=0)} s"


@rule("PostgreSQL 9", title="it can raise nobody, itself least", among=OF_ROLES)
def _attributes(it: Asked) -> str | None:
    said = it.one(
        "select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls"
        " from pg_roles where rolname = :who"
    )
    return None if said == "f" else "it has an attribute that raises"


@rule("PostgreSQL 15", title="its temporary files are limited: temp_file_limit", among=OF_ROLES)
def _temporary(it: Asked) -> str | None:
    return None if it.one("show temp_file_limit", it.who) != "-1" else "it may fill the disk by sorting"


def _setting(number: int, name: str, title: str, kept: Callable[[str], bool]) -> None:
    @rule(f"PostgreSQL {number}", title=title, among=OF_SERVER)
    def _(it: Asked) -> str | None:
        value = it.one(f"show {name}")
        return None if kept(value) else f"{name} = {value}"


_setting(10, "log_connections", "every connection is logged", lambda value: value == "on")
_setting(
    11,
    "log_line_prefix",
    "each line of the log says role, database and application",
    lambda value: {"%u", "%d", "%a"} <= set(re.findall("%.", value)),
)
_setting(12, "password_encryption", "passwords are kept as SCRAM verifiers", lambda value: value == "scram-sha-256")
_setting(13, "ssl_min_protocol_version", "TLS is 1.3", lambda value: value == "TLSv1.3")
_setting(14, "log_parameter_max_length", "values stay out of the log", lambda value: value == "0")


@pytest.mark.parametrize(
    ("one", "who"),
    [
        *cases(OF_DATABASES, DATABASES),
        *cases(OF_OWNERS, OWNERS),
        *cases(OF_ROLES, ROLES),
        *cases(OF_SERVER, ["server"]),
    ],
)
def test_the_rule_is_kept(server: Server, one: Rule, who: str) -> None:
    """Databases, roles and the server are as the rule wants them."""
    judged(one, who, one.breach(Asked(server, who)))  # type: ignore[arg-type]


def test_every_exception_is_from_a_rule_that_is_there() -> None:
    """None outlives what it speaks of."""
    known = {number for one in (*OF_DATABASES, *OF_OWNERS, *OF_ROLES, *OF_SERVER) for number in one.ids}
    spoken = [one for one in config().exceptions if one.check is Check.rules and one.what.startswith("PostgreSQL")]

    assert [one.what for one in spoken if one.what not in known] == []
    assert [who for one in spoken for who in one.who if who not in {*DATABASES, *ROLES, "server"}] == []


def test_a_breach_is_seen(server: Server) -> None:
    """A role that is opened by hand breaches its rules, and keeps them when it is as it was."""
    role, database = Asked(server, "report"), Asked(server, "warehouse")
    rules = {one.ids[0]: one for one in (*OF_DATABASES, *OF_ROLES)}
    before = server.sql("select rolconnlimit from pg_roles where rolname = 'report'").strip()
    try:
        server.sql(
            "grant temporary on database warehouse to public; alter role report connection limit -1;"
            " alter role report set statement_timeout = 0; alter role report set temp_file_limit = -1;"
            " alter role report createdb"
        )
        server.sql("grant create on schema public to public", database="warehouse")

        assert [number for number in ("PostgreSQL 1", "PostgreSQL 2") if not rules[number].breach(database)] == []
        assert [
            f"PostgreSQL {number}" for number in (5, 6, 8, 9, 15) if not rules[f"PostgreSQL {number}"].breach(role)
        ] == []
    finally:
        server.sql("revoke create on schema public from public", database="warehouse")
        server.sql("revoke temporary on database warehouse from public")
        server.apply()
    assert before == server.sql("select rolconnlimit from pg_roles where rolname = 'report'").strip()
    assert [one.ids[0] for one in OF_ROLES if one.breach(role)] == []
