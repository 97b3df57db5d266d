"""What no role may do, tried by each of them; and every table and schema, tried by each role in every way."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from tests.postgres.server import DATABASES, CommandError, Server, docker

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tables")]

ROLES = ("airflow", "source_owner", "extract", "load", "recorder", "report", "analyst")

# What no role may do, in its own database, and what PostgreSQL says to it.
NOBODY = [
    # the server's programs and files
    ("copy (select 1) to program 'id'", "permission denied to COPY to or from an external program"),
    ("do $$begin execute 'copy (select 1) to program ''id'''; end$$", "permission denied to COPY to or from an ext"),
    ("copy (select 1) to '/tmp/forbidden'", "permission denied to COPY to a file"),
    ("select pg_read_file('/etc/passwd')", "permission denied for function pg_read_file"),
    ("select pg_read_file('postgresql.conf')", "permission denied for function pg_read_file"),
    ("select pg_read_binary_file('global/pg_control')", "permission denied for function pg_read_binary_file"),
    ("select pg_stat_file('/etc/passwd')", "permission denied for function pg_stat_file"),
    ("select pg_ls_dir('/')", "permission denied for function pg_ls_dir"),
    ("select pg_ls_logdir()", "permission denied for function pg_ls_logdir"),
    ("select pg_ls_waldir()", "permission denied for function pg_ls_waldir"),
    ("select pg_ls_tmpdir()", "permission denied for function pg_ls_tmpdir"),
    ("select pg_current_logfile()", "permission denied for function pg_current_logfile"),
    ("load '/tmp/forbidden.so'", 'access to library "/tmp/forbidden.so" is not allowed'),
    ("create tablespace forbidden location '/tmp'", 'permission denied to create tablespace "forbidden"'),
    # large objects, which could fill the disk
    ("select lo_import('/etc/passwd')", "permission denied for function lo_import"),
    ("select lo_export(1, '/tmp/forbidden')", "permission denied for function lo_export"),
    ("select lo_from_bytea(0, 'x')", "permission denied for function lo_from_bytea"),
    ("select lo_create(0)", "permission denied for function lo_create"),
    ("select lo_creat(-1)", "permission denied for function lo_creat"),
    ("select lo_put(1, 0, 'x')", "permission denied for function lo_put"),
    # passwords, and who may enter
    ("select rolpassword from pg_authid", "permission denied for table pg_authid"),
    ("select passwd from pg_shadow", "permission denied for view pg_shadow"),
    ("select * from pg_hba_file_rules", "permission denied for view pg_hba_file_rules"),
    ("select * from pg_ident_file_mappings", "permission denied for view pg_ident_file_mappings"),
    ("select * from pg_file_settings", "permission denied for view pg_file_settings"),
    ("select umoptions from pg_user_mapping", "permission denied for table pg_user_mapping"),
    ("select subconninfo from pg_subscription", "permission denied for table pg_subscription"),
    ("show hba_file", 'permission denied to examine "hba_file"'),
    ("show data_directory", 'permission denied to examine "data_directory"'),
    # becoming somebody else, or more
    ("set role postgres", 'permission denied to set role "postgres"'),
    ("set role pg_read_server_files", 'permission denied to set role "pg_read_server_files"'),
    ("set session authorization postgres", 'permission denied to set session authorization "postgres"'),
    ("alter role current_user superuser", "permission denied to alter role"),
    ("alter role current_user createrole", "permission denied to alter role"),
    ("alter role current_user createdb", "permission denied to alter role"),
    ("alter role current_user replication", "permission denied to alter role"),
    ("alter role current_user bypassrls", "permission denied to alter role"),
    ("alter role current_user connection limit -1", "permission denied to alter role"),
    ("alter role current_user valid until 'infinity'", "permission denied to alter role"),
    ("alter role postgres password 'mine'", "permission denied to alter role"),
    ("alter role postgres set search_path = mine", "permission denied to alter role"),
    ("alter role all set work_mem = '8GB'", "permission denied to alter setting"),
    ("create role forbidden superuser", "permission denied to create role"),
    ("create user forbidden", "permission denied to create role"),
    ("drop role postgres", "permission denied to drop role"),
    ("grant pg_read_all_data to current_user", 'permission denied to grant role "pg_read_all_data"'),
    ("grant pg_monitor to current_user", 'permission denied to grant role "pg_monitor"'),
    ("grant pg_execute_server_program to current_user", 'permission denied to grant role "pg_execute_server_program"'),
    ("grant postgres to current_user", 'permission denied to grant role "postgres"'),
    ("reassign owned by postgres to current_user", "permission denied to reassign objects"),
    ("drop owned by postgres", "permission denied to drop objects"),
    ("alter default privileges for role postgres grant all on tables to public", "permission denied to change default"),
    # the server's and other databases' settings
    ("alter system set log_connections = off", 'permission denied to set parameter "log_connections"'),
    ("set session_replication_role = replica", 'permission denied to set parameter "session_replication_role"'),
    ("set temp_file_limit = -1", 'permission denied to set parameter "temp_file_limit"'),
    ("alter role current_user set temp_file_limit = -1", 'permission denied to set parameter "temp_file_limit"'),
    (
        "do $$begin execute format('alter database %I set temp_file_limit = -1', current_database()); end$$",
        'must be owner of database|permission denied to set parameter "temp_file_limit"',
    ),
    ("set log_statement = none", 'permission denied to set parameter "log_statement"'),
    ("set session_preload_libraries = mine", 'permission denied to set parameter "session_preload_libraries"'),
    ("set dynamic_library_path = '/tmp'", 'permission denied to set parameter "dynamic_library_path"'),
    ("set allow_in_place_tablespaces = on", 'permission denied to set parameter "allow_in_place_tablespaces"'),
    ("alter database postgres rename to mine", "must be owner of database postgres"),
    ("alter database template1 is_template false", "must be owner of database template1"),
    ("drop database postgres", "must be owner of database postgres"),
    ("create database forbidden", "permission denied to create database"),
    ("grant connect on database postgres to public", "permission denied for database postgres"),
    # the server itself
    ("select pg_reload_conf()", "permission denied for function pg_reload_conf"),
    ("select pg_rotate_logfile()", "permission denied for function pg_rotate_logfile"),
    ("select pg_promote()", "permission denied for function pg_promote"),
    ("select pg_switch_wal()", "permission denied for function pg_switch_wal"),
    ("select pg_create_restore_point('x')", "permission denied for function pg_create_restore_point"),
    ("select pg_backup_start('x')", "permission denied for function pg_backup_start"),
    ("select pg_stat_reset()", "permission denied for function pg_stat_reset"),
    ("select pg_log_backend_memory_contexts(1)", "permission denied for function pg_log_backend_memory_contexts"),
    ("select pg_create_physical_replication_slot('x')", "permission denied to use replication slots"),
    ("select pg_create_logical_replication_slot('x', 'pgoutput')", "permission denied to use replication slots"),
    ("select pg_terminate_backend(:postgres)", "permission denied to terminate process"),
    ("select pg_cancel_backend(:postgres)", "permission denied to cancel query"),
    ("checkpoint", "permission denied to execute CHECKPOINT"),
    # code that runs with more rights, and other servers
    ("create function pg_catalog.f() returns int language c as 'x'", "permission denied for"),
    ("create extension dblink schema pg_catalog", "permission denied to create extension"),
    ("create extension file_fdw schema pg_catalog", "permission denied to create extension"),
    ("create extension adminpack schema pg_catalog", "permission denied to create extension|is not available"),
    ("create language plpython3u", "permission denied to create extension|does not exist|is not available"),
    ("create foreign data wrapper forbidden", "permission denied to create foreign-data wrapper"),
    ("create event trigger forbidden on sql_drop execute function f()", "permission denied to create event trigger"),
    ("create publication forbidden for all tables", "permission denied for database|must be superuser"),
    (
        "create subscription forbidden connection 'host=192.0.2.1 password=x' publication p with (connect = false)",
        "permission denied to create subscription",
    ),
    ("create access method forbidden type index handler bthandler", "permission denied to create access method"),
    ("create cast (text as int) without function", "must be owner of type"),
    ("update pg_catalog.pg_database set datallowconn = true", "permission denied for table pg_database"),
    ("insert into pg_catalog.pg_auth_members default values", "permission denied for table pg_auth_members"),
    ("delete from pg_catalog.pg_class", "permission denied for table pg_class"),
    ("create table pg_catalog.forbidden (i int)", "permission denied"),
    ("create or replace view pg_catalog.pg_user as select 1", "permission denied|must be owner"),
    ("alter function pg_catalog.now() security definer", "must be owner of function"),
    ("alter type pg_catalog.text owner to current_user", "must be owner of type"),
]

# What each role may do with each table; nothing else. `load` owns what loads make, `source_owner` its database.
READ = frozenset({"select"})
ADD = frozenset({"insert"})
OWN = frozenset(
    {"select", "insert", "update", "delete", "truncate", "lock", "trigger", "index", "alter", "drop", "grant"}
)
VIEW = frozenset({"select", "insert", "update", "delete", "lock", "grant"})
BOOKS = frozenset({"select", "insert", "update", "lock"})
CHECKS = frozenset({"select", "insert", "delete", "lock"})
NONE: frozenset[str] = frozenset()
TABLES = {
    "warehouse": {
        #                    extract  load    recorder  report  analyst
        "etl.checks":       (NONE,    CHECKS, NONE,     READ,   READ),
        "etl.files":        (READ,    BOOKS,  NONE,     READ,   READ),
        "etl.loads":        (NONE,    BOOKS,  NONE,     READ,   READ),
        "etl.stage_runs":   (NONE,    NONE,   ADD,      READ,   READ),
        "etl.watermarks":   (READ,    BOOKS,  NONE,     READ,   READ),
        "mart.sales":       (READ,    OWN,    NONE,     READ,   READ),
        "quarantine.rows":  (NONE,    CHECKS, NONE,     READ,   READ),
        "quarantine.sales": (NONE,    OWN,    NONE,     READ,   READ),
        "staging.sales":    (NONE,    OWN,    NONE,     NONE,   READ),
    },
    "source": {
        #                extract  source_owner
        "history.raw":   (NONE,   OWN),
        "public.orders": (READ,   VIEW),
    },
}  # fmt: skip
ENTERS = {"warehouse": ("extract", "load", "recorder", "report", "analyst"), "source": ("extract", "source_owner")}
VERBS = {
    "select": "table {table}",
    "insert": "insert into {table} default values",
    "update": "update {table} set {column} = null",
    "delete": "delete from {table}",
    "truncate": "truncate {table}",
    "lock": "lock table {table} in access exclusive mode",
    "trigger": "create trigger x before insert on {table} for each row"
    " execute function suppress_redundant_updates_trigger()",
    "index": "create index on {table} ({column})",
    "alter": "alter table {table} add column x int",
    "drop": "drop table {table} cascade",
    "grant": "grant select on {table} to public",
}
# Where each role may create tables.
CREATES = {
    "warehouse": {"load": {"mart", "staging", "quarantine"}},
    "source": {"source_owner": {"public", "history"}},
}
# Whoever may not is told so first; who may is told, at most, that a column wants a value.
REFUSED = re.compile("(ERROR|WARNING): (?!.* violates not-null constraint)")


def answers(
    server: Server, statements: Iterable[str], role: str, database: str = "", *, roll_back: bool = True
) -> list[str]:
    """Try statements one by one, mostly each in a transaction that is rolled back; return what is said to each."""
    form = "\\echo ----\nbegin;\n{};\nrollback;\n" if roll_back else "\\echo ----\n{};\n"
    script = "set default_transaction_read_only = off;\n" + "".join(form.format(statement) for statement in statements)
    said = server.sql(script, role, database, keep_on=True).split("----")[1:]
    assert len(said) == script.count("\\echo")
    return said


@contextmanager
def busy(server: Server, statement: str) -> Iterator[str]:
    """Keep the superuser busy with a statement, and give the number of its process."""
    docker("exec", "-d", server.name, "psql", "-XqU", "postgres", "-c", f"select pg_sleep(600) /* {statement} */")
    find = f"select pid from pg_stat_activity where query like 'select pg_sleep%{statement}%'"  # noqa: S608  # words of ours
    pid = ""
    while not pid:
        pid = server.sql(find)
    try:
        yield pid
    finally:
        server.sql(f"select pg_terminate_backend({pid}, 5000)")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_can_escalate(server: Server, role: str) -> None:
    """No role reaches the server's files, programs, passwords, settings or sessions, or becomes another."""
    with busy(server, "for nobody") as pid:
        tried = [statement.replace(":postgres", pid) for statement, _ in NOBODY]
        said = answers(server, tried, role, roll_back=False)

        assert server.sql(f"select count(*) from pg_stat_activity where pid = {pid}") == "1"  # noqa: S608  # a number
    allowed = [
        f"{statement}: {answer}"
        for statement, answer, (_, refusal) in zip(tried, said, NOBODY, strict=True)
        if not re.search(refusal, answer)
    ]
    assert allowed == []
    assert docker("exec", server.name, "ls", "/tmp") == ""  # noqa: S108 - the server's


@pytest.mark.parametrize("role", ROLES)
def test_no_role_replicates(server: Server, role: str) -> None:
    """No role gets the server's log of changes, in which everything of every database stands."""
    network = {"airflow": "control", "recorder": "control", "analyst": "edge"}.get(role, "data")
    environment = {"PGUSER": role, "PGPASSWORD": server.password(role)}
    database = DATABASES.get(role, "warehouse")
    for how in ("true", "database"):
        with pytest.raises(CommandError, match=r"no pg_hba\.conf entry|permission denied to start WAL sender"):
            server.psql(network, ["psql", f"dbname={database} replication={how}", "-c", "IDENTIFY_SYSTEM"], environment)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_sees_what_others_ask(server: Server, role: str) -> None:
    """What others are asking, which may be data, is hidden, and so is whence they come."""
    with busy(server, "s3cret"):
        seen = server.sql(
            "select coalesce(string_agg(concat(query, client_addr), ' '), '') from pg_stat_activity"
            " where usename <> current_user and query <> '<insufficient privilege>'",
            role,
        )

    assert seen == ""


@pytest.mark.parametrize("role", [role for role in ROLES if role not in {"airflow", "load", "source_owner"}])
def test_a_reader_holds_up_nobody(server: Server, role: str) -> None:
    """Advisory locks are for who writes the database: by them a reader could keep every load waiting."""
    said = answers(
        server,
        [
            f"select {function}(1)"
            for function in (
                "pg_advisory_lock",
                "pg_advisory_xact_lock",
                "pg_try_advisory_lock",
                "pg_advisory_lock_shared",
            )
        ],
        role,
    )

    assert all("permission denied for function" in answer for answer in said), said


@pytest.mark.parametrize("database", TABLES)
def test_every_table_is_in_the_matrix(server: Server, database: str) -> None:
    """A table that is new must be thought about."""
    found = server.sql(
        "select oid::regclass from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')"
        " and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')",
        database=database,
    )

    names = {name if "." in name else f"public.{name}" for name in found.replace('"', "").splitlines()}
    assert names == set(TABLES[database])


@pytest.mark.parametrize(
    ("database", "role"), [(database, role) for database, roles in ENTERS.items() for role in roles]
)
def test_a_role_does_with_each_table_what_it_may_and_nothing_else(server: Server, database: str, role: str) -> None:
    """Everything that can be done with a table is tried with each: it works, or is refused, as the matrix says."""
    columns = dict(
        line.split("|")
        for line in server.sql(
            "select concat(table_schema, '.', table_name), min(column_name)"
            " from information_schema.columns where table_schema !~ '^(pg_|information_)' group by 1",
            database=database,
        ).splitlines()
    )
    tried = [(table, verb) for table in TABLES[database] for verb in VERBS]
    statements = [VERBS[verb].format(table=table, column=f'"{columns[table]}"') for table, verb in tried]
    said = answers(server, statements, role, database)

    may = {table: row[ENTERS[database].index(role)] for table, row in TABLES[database].items()}
    found = {case: not REFUSED.search(answer) for case, answer in zip(tried, said, strict=True)}
    wrong = [
        f"{verb} {table}: {found[table, verb]}" for table, verb in tried if found[table, verb] != (verb in may[table])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("database", "role"), [(database, role) for database, roles in ENTERS.items() for role in roles]
)
def test_a_role_creates_where_it_may_and_nowhere_else(server: Server, database: str, role: str) -> None:
    """Tables, functions and types are made by who loads, in the schemas for that; schemas by the owner alone."""
    schemas = server.sql(
        "select nspname from pg_namespace where nspname not in ('pg_toast', 'information_schema')", database=database
    ).split()
    kinds = ("table {}.x (i int)", "view {}.x as select 1 as i", "sequence {}.x", "type {}.x as (i int)",
             "function {}.x() returns int return 1")  # fmt: skip
    tried = [(schema, kind) for schema in schemas for kind in kinds]
    said = answers(server, [f"create {kind.format(schema)}" for schema, kind in tried], role, database)
    made = {schema for (schema, _), answer in zip(tried, said, strict=True) if not REFUSED.search(answer)}
    others = [f"drop schema {schema} cascade" for schema in schemas] + [
        "create schema x",
        "create temporary table x (i int)",
    ]

    assert made == CREATES[database].get(role, set())
    if role != "source_owner":
        assert [answer for answer in answers(server, others, role, database) if not REFUSED.search(answer)] == []


def test_a_trap_of_the_owner_does_not_catch_the_superuser(server: Server) -> None:
    """Functions that an owner puts in the way of PostgreSQL's own are not called by postgres-roles."""
    trap = (
        "create function public.{name} returns {type} language plpgsql as"
        " $$begin execute 'alter role {role} superuser'; return null; end$$"
    )
    traps = {
        "format(text, regprocedure)": "text",
        "format(text, name)": "text",
        "has_function_privilege(text, oid, text)": "bool",
    }
    owners = {"source_owner": "source", "airflow": "airflow"}
    for role, database in owners.items():
        server.sql(
            ";".join(trap.format(name=name, type=kind, role=role) for name, kind in traps.items()), role, database
        )
    # Something for postgres-roles to do, which takes it past the traps.
    for database in owners.values():
        server.sql("grant execute on function lo_create(oid) to public", database=database)
    try:
        server.apply()

        assert server.sql("select rolname from pg_roles where rolsuper") == "postgres"
    finally:
        for role, database in owners.items():
            server.sql(f"alter role {role} nosuperuser")
            server.sql(";".join(f"drop function public.{name}" for name in traps), role, database)


@pytest.mark.parametrize(
    ("role", "statement", "idle_in_transaction"),
    [
        ("airflow", "1h", "5min"),
        ("source_owner", "10min", "1min"),
        # What a pipeline's `minutes` may be at most: the stage ends a read that takes too long, never the server.
        ("extract", "1d", "1h"),
        ("load", "1d", "10min"),
        ("recorder", "2s", "5s"),
        ("report", "5min", "10min"),
        ("analyst", "15min", "5min"),
    ],
)
def test_no_role_keeps_the_server_for_long(server: Server, role: str, statement: str, idle_in_transaction: str) -> None:
    """Each role's sessions begin with a limit on a statement, and on a transaction that does nothing."""
    asked = "show statement_timeout; show idle_in_transaction_session_timeout"

    assert server.sql(asked, role).splitlines() == [statement, idle_in_transaction]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_fills_the_disk_by_sorting(server: Server, role: str) -> None:
    """Temporary files are limited for each role, and whoever takes more loses his statement, not everybody's disk."""
    sort = "select i from generate_series(1, 200000) as i order by md5(i::text) offset 199999"
    assert server.sql("show temp_file_limit", role) != "-1"
    server.sql(f"alter role {role} set temp_file_limit = '1MB'")
    try:
        with pytest.raises(CommandError, match=r"temporary file size exceeds \S+ \(1024kB\)"):
            server.sql(f"set statement_timeout = 0; set work_mem = '1MB'; {sort}", role)
    finally:
        server.apply()
    assert server.sql("set work_mem = '1MB'; " + sort, "load").isdigit()


@pytest.mark.parametrize("role", ROLES)
def test_no_connection_begins_with_more_disk(server: Server, role: str) -> None:
    """Asked for while connecting, a higher limit is refused too."""
    environment = {"PGUSER": role, "PGPASSWORD": server.password(role), "PGOPTIONS": "-c temp_file_limit=-1"}
    environment["PGDATABASE"] = DATABASES.get(role, "warehouse")
    network = {"airflow": "control", "recorder": "control", "analyst": "edge"}.get(role, "data")
    with pytest.raises(CommandError, match='permission denied to set parameter "temp_file_limit"'):
        server.psql(network, ["psql", "-c", "show temp_file_limit"], environment)


@pytest.mark.parametrize(("role", "shorter"), [("recorder", ""), ("analyst", "300ms")])
def test_a_statement_that_takes_too_long_is_ended(server: Server, role: str, shorter: str) -> None:
    """By what the role's sessions begin with: of the recorder as it is, of people by a shorter one of the same kind."""
    if shorter:
        server.sql(f"alter role {role} set statement_timeout = '{shorter}'")
    try:
        with pytest.raises(CommandError, match="canceling statement due to statement timeout"):
            server.sql("select pg_sleep(30)", role)
    finally:
        server.apply()


def test_an_idle_transaction_is_ended(server: Server) -> None:
    """Who leaves a transaction open loses it, and its locks with it."""
    with pytest.raises(CommandError, match="terminating connection due to idle-in-transaction timeout"):
        server.sql(
            "set idle_in_transaction_session_timeout = '200ms'; begin; lock table mart.sales in access share mode;\n"
            "\\! sleep 1\nselect 1",
            "analyst",
        )


def test_a_role_takes_no_more_connections_than_its_own(server: Server) -> None:
    """The connection after the last is refused, while another role still comes in."""
    limit = int(server.sql("select rolconnlimit from pg_roles where rolname = 'report'"))
    crowd = f"for i in $(seq {limit + 2}); do psql -XAtqc 'select pg_sleep(300)' 2>&1 & done; wait"
    environment = {"PGUSER": "report", "PGDATABASE": "warehouse", "PGPASSWORD": server.password("report")}
    name = f"{server.prefix}client-data"
    docker("exec", "-d", *[f"--env={key}={value}" for key, value in (environment | {"PGHOST": "postgres"}).items()],
           name, "bash", "-c", f"({crowd}) >/tmp/crowd")  # fmt: skip
    inside = "select count(*) from pg_stat_activity where usename = 'report'"
    while int(server.sql(inside)) < limit:
        pass

    assert server.sql("select 1", "load") == "1"
    refusal = 'too many connections for role "report"'
    while (refused := docker("exec", name, "cat", "/tmp/crowd").count(refusal)) < 2:  # noqa: S108
        pass
    assert (refused, int(server.sql(inside))) == (2, limit)
    server.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'report'")
