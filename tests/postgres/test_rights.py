"""What each role can do, and what it cannot; what none of them may do: test_forbidden.py."""

import pytest

from tests.postgres.server import CommandError, Server

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tables")]

CAN = [
    # role          database     statement
    ("airflow", "airflow", "create table t (i int); insert into t values (1); alter table t add j int; drop table t"),
    ("airflow", "airflow", "create schema s; create extension if not exists pg_trgm schema public"),
    ("source_owner", "source", "create schema s; create table s.t (i int); create view public.v as table s.t"),
    ("extract", "source", "table public.orders"),
    ("extract", "warehouse", "table mart.sales"),
    (
        "load",
        "warehouse",
        "create table mart.new as table mart.sales; alter table mart.new add j int; drop table mart.new",
    ),
    ("load", "warehouse", "create unlogged table staging.new (like mart.sales); drop table staging.new"),
    ("load", "warehouse", "create table quarantine.new (row jsonb, reason text)"),
    ("load", "warehouse", "insert into mart.sales values (2); update mart.sales set i = 3; delete from mart.sales"),
    ("load", "warehouse", "truncate mart.sales"),
    ("load", "warehouse", "select pg_advisory_xact_lock(1)"),
    ("load", "warehouse", "comment on table mart.sales is 'ours'; create index on mart.sales (i); analyze mart.sales"),
    (
        "load",
        "warehouse",
        (
            "insert into etl.loads (load_id, pipeline, run_id, dataset, target_table, mode)"
            " values (gen_random_uuid(), 'p', 'r', 'd', 't', 'append')"
            " on conflict (pipeline, run_id, dataset, target_table) do update set try_number = 2"
        ),
    ),
    ("load", "warehouse", "select count(*) from etl.loads"),
    (
        "load",
        "warehouse",
        (
            "insert into etl.checks values ('p', 'r', 'd', 'x unique', 'warn', 2, 1); delete from etl.checks;"
            " insert into quarantine.rows values ('p', 'r', 'd', 1, 'x', null, null, '{}', '{}', now(), now());"
            " delete from quarantine.rows"
        ),
    ),
    (
        "recorder",
        "warehouse",
        (
            "insert into etl.stage_runs (pipeline, run_id, stage, try_number, state, interval_start, interval_end,"
            " started_at, ended_at, seconds, cpus, memory_limit, minutes, image) values"
            " ('p', 'r', 'load', 1, 'success', now(), now(), now(), now(), 1, 1, 1, 1, 'i') on conflict do nothing"
        ),
    ),
    ("report", "warehouse", "table etl.checks; table quarantine.rows; table etl.stage_runs"),
    ("report", "warehouse", "table mart.sales; table etl.loads; table quarantine.sales"),
    ("analyst", "warehouse", "table mart.sales; table etl.loads; table quarantine.sales; table staging.sales"),
    ("analyst", "warehouse", "select i from sales; explain analyze table sales"),
]

CANNOT = [
    # role          database     statement                                                   what PostgreSQL says
    ("source_owner", "source", "create role r", "permission denied to create role"),
    ("source_owner", "source", "create database d", "permission denied to create database"),
    ("airflow", "airflow", "create database d", "permission denied to create database"),
    ("airflow", "airflow", "grant pg_read_all_data to airflow", "permission denied to grant role"),
    ("extract", "source", "insert into public.orders values (2)", "permission denied for view orders"),
    ("extract", "source", "table history.raw", "permission denied for schema history"),
    ("extract", "source", "create table public.t (i int)", "permission denied for schema public"),
    ("extract", "source", "create temporary table t (i int)", "permission denied to create temporary tables"),
    ("extract", "warehouse", "insert into mart.sales values (2)", "permission denied for table sales"),
    ("extract", "warehouse", "table etl.loads", "permission denied for table loads"),
    ("extract", "warehouse", "table staging.sales", "permission denied for schema staging"),
    ("extract", "warehouse", "table quarantine.sales", "permission denied for schema quarantine"),
    ("load", "warehouse", "delete from etl.loads", "permission denied for table loads"),
    ("load", "warehouse", "update quarantine.rows set value = null", "permission denied for table rows"),
    ("analyst", "warehouse", "delete from quarantine.rows", "permission denied for table rows"),
    ("load", "warehouse", "truncate etl.loads", "permission denied for table loads"),
    ("load", "warehouse", "drop table etl.loads", "must be owner of table loads"),
    ("load", "warehouse", "alter table etl.loads drop column sha256", "must be owner of table loads"),
    ("load", "warehouse", "create table etl.t (i int)", "permission denied for schema etl"),
    ("load", "warehouse", "create table public.t (i int)", "permission denied for schema public"),
    ("load", "warehouse", "create schema s", "permission denied for database warehouse"),
    ("load", "warehouse", "drop schema mart cascade", "must be owner of schema mart"),
    ("load", "warehouse", "create temporary table t (i int)", "permission denied to create temporary tables"),
    ("load", "warehouse", "table etl.stage_runs", "permission denied for table stage_runs"),
    ("recorder", "warehouse", "table etl.stage_runs", "permission denied for table stage_runs"),
    ("recorder", "warehouse", "delete from etl.stage_runs", "permission denied for table stage_runs"),
    ("recorder", "warehouse", "update etl.stage_runs set state = 'success'", "permission denied for table stage_runs"),
    ("recorder", "warehouse", "table etl.loads", "permission denied for table loads"),
    ("recorder", "warehouse", "table mart.sales", "permission denied for schema mart"),
    ("recorder", "warehouse", "create table etl.t (i int)", "permission denied for schema etl"),
    ("report", "warehouse", "table staging.sales", "permission denied for schema staging"),
    ("report", "warehouse", "update mart.sales set i = 0", "permission denied for table sales"),
    ("report", "warehouse", "create table mart.t (i int)", "permission denied for schema mart"),
    ("analyst", "warehouse", "delete from mart.sales", "permission denied for table sales"),
    ("analyst", "warehouse", "truncate staging.sales", "permission denied for table sales"),
    ("analyst", "warehouse", "insert into etl.loads select", "permission denied for table loads"),
    ("analyst", "warehouse", "create table quarantine.t (i int)", "permission denied for schema quarantine"),
    ("analyst", "warehouse", "drop table mart.sales", "must be owner of table sales"),
]


@pytest.mark.parametrize(("role", "database", "statement"), CAN)
def test_a_role_can_do_its_work(server: Server, role: str, database: str, statement: str) -> None:
    """Each role may do what its stage does."""
    server.sql(f"begin; {statement}; rollback", role, database)


@pytest.mark.parametrize(("role", "database", "statement", "refusal"), CANNOT)
def test_a_role_cannot_do_more(server: Server, role: str, database: str, statement: str, refusal: str) -> None:
    """Each role is refused what is another's, even if it leaves its read-only default."""
    with pytest.raises(CommandError, match=refusal):
        server.sql(f"set default_transaction_read_only = off; {statement}", role, database)


def test_what_load_makes_can_be_read_at_once(server: Server) -> None:
    """Readers see a table that load has just made, with no grant of anybody."""
    server.sql("create table mart.fresh as select 7 as i", "load")
    try:
        assert {
            role: server.sql("table mart.fresh", role, "warehouse") for role in ("extract", "report", "analyst")
        } == {
            "extract": "7",
            "report": "7",
            "analyst": "7",
        }
    finally:
        server.sql("drop table mart.fresh", "load")


def test_readers_do_not_write_by_accident(server: Server) -> None:
    """A reader's session is read-only from its start."""
    for role in ("extract", "report", "analyst"):
        assert server.sql("show transaction_read_only", role, "warehouse") == "on"


def test_ledger_has_its_columns_in_order(server: Server) -> None:
    """The ledger is the one that load writes, and every column says what it means."""
    columns = server.sql(
        "select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) <> ''"
        " from pg_attribute where attrelid = 'etl.loads'::regclass and attnum > 0 order by attnum",
        database="warehouse",
    )

    assert columns.splitlines() == [
        "load_id|uuid|t",
        "pipeline|text|t",
        "run_id|text|t",
        "try_number|integer|t",
        "dataset|text|t",
        "target_table|text|t",
        "mode|text|t",
        "interval_start|timestamp with time zone|t",
        "interval_end|timestamp with time zone|t",
        "rows_staged|bigint|t",
        "rows_inserted|bigint|t",
        "rows_updated|bigint|t",
        "rows_deleted|bigint|t",
        "sha256|text|t",
        "loaded_at|timestamp with time zone|t",
        "table_id|oid|t",
        "rows_quarantined|bigint|t",
    ]


def test_all_connection_limits_fit(server: Server) -> None:
    """No role can take the connections of another."""
    free = server.sql(
        "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        " - sum(rolconnlimit) >= 0 and min(rolconnlimit) > 0 from pg_roles where rolcanlogin and not rolsuper"
    )

    assert free == "t"
