-- Roles and databases. Run by apply.sh as postgres in database postgres, at every start.

-- Roles ---------------------------------------------------------------------------------------------------------------

BEGIN;

CREATE TEMPORARY TABLE wanted (name text PRIMARY KEY, connections int NOT NULL, purpose text NOT NULL) ON COMMIT DROP;
INSERT INTO wanted VALUES
    ('airflow',      50, 'Airflow''s components: own database airflow'),
    ('source_owner',  4, 'The service source-data: owns database source'),
    ('extract',      16, 'Stage extract: reads database source, and schema mart of warehouse'),
    ('load',         12, 'Stage load: writes the warehouse'),
    ('recorder',      8, 'Airflow''s tasks: add to etl.stage_runs what each stage took, and nothing else'),
    ('report',        8, 'Stage visualize: reads mart, etl and quarantine of the warehouse'),
    ('analyst',       6, 'People: read all of the warehouse');

SELECT format('CREATE ROLE %I', name) FROM wanted WHERE name NOT IN (SELECT rolname FROM pg_roles) ORDER BY name \gexec
SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %s',
    name, connections
) FROM wanted ORDER BY name \gexec
SELECT format('COMMENT ON ROLE %I IS %L', name, purpose) FROM wanted ORDER BY name \gexec

-- None of them is a member of another role, whatever was tried in between.
SELECT format('REVOKE %I FROM %I CASCADE', granted.rolname, member.rolname)
FROM pg_auth_members
JOIN pg_roles AS granted ON granted.oid = pg_auth_members.roleid
JOIN pg_roles AS member ON member.oid = pg_auth_members.member
WHERE member.rolname IN (SELECT name FROM wanted) \gexec

-- Verifiers: the shell writes them into psql's variables, so that they are in no file, argument or environment.
\set airflow      `cat "$ETL_SECRETS/airflow.scram"`
\set source_owner `cat "$ETL_SECRETS/source_owner.scram"`
\set extract      `cat "$ETL_SECRETS/extract.scram"`
\set load         `cat "$ETL_SECRETS/load.scram"`
\set recorder     `cat "$ETL_SECRETS/recorder.scram"`
\set report       `cat "$ETL_SECRETS/report.scram"`
\set analyst      `cat "$ETL_SECRETS/analyst.scram"`
SELECT format('ALTER ROLE %I PASSWORD %L', name, verifier)
FROM (VALUES
    ('airflow', :'airflow'), ('source_owner', :'source_owner'), ('extract', :'extract'),
    ('load', :'load'), ('recorder', :'recorder'), ('report', :'report'), ('analyst', :'analyst')
) AS given (name, verifier)
JOIN pg_authid ON rolname = name
WHERE rolpassword IS DISTINCT FROM verifier \gexec

-- Defaults of their sessions: against accidents, not against malice, since a session may set them anew. All but one:
-- temp_file_limit, which holds whatever a session says. It is what one process may put on disk to sort, to join or to keep
-- a cursor's rows, so that nobody fills the disk of all databases; a statement has up to max_parallel_workers_per_gather more.
-- A read or a load of a day may take as long as its pipeline's `minutes`, of which there are at most a day's.
ALTER ROLE airflow      RESET ALL;
ALTER ROLE airflow      SET statement_timeout = '1h';
ALTER ROLE airflow      SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE airflow      SET temp_file_limit = '2GB';
ALTER ROLE source_owner RESET ALL;
ALTER ROLE source_owner SET statement_timeout = '10min';
ALTER ROLE source_owner SET idle_in_transaction_session_timeout = '1min';
ALTER ROLE source_owner SET lock_timeout = '1min';
ALTER ROLE source_owner SET temp_file_limit = '2GB';
ALTER ROLE extract      RESET ALL;
ALTER ROLE extract      SET default_transaction_read_only = on;
ALTER ROLE extract      SET statement_timeout = '1d';
-- All sources are read in one transaction, which waits while one of them comes from elsewhere.
ALTER ROLE extract      SET idle_in_transaction_session_timeout = '1h';
ALTER ROLE extract      SET temp_file_limit = '16GB';
ALTER ROLE load         RESET ALL;
ALTER ROLE load         SET statement_timeout = '1d';
ALTER ROLE load         SET idle_in_transaction_session_timeout = '10min';
-- An upsert of tens of millions of rows sorts all of them, and joins them with its table.
ALTER ROLE load         SET temp_file_limit = '32GB';
-- A task does not wait for its line.
ALTER ROLE recorder     RESET ALL;
ALTER ROLE recorder     SET statement_timeout = '2s';
ALTER ROLE recorder     SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE recorder     SET temp_file_limit = '0';
ALTER ROLE report       RESET ALL;
ALTER ROLE report       SET default_transaction_read_only = on;
ALTER ROLE report       SET statement_timeout = '5min';
ALTER ROLE report       SET idle_in_transaction_session_timeout = '10min';
ALTER ROLE report       SET temp_file_limit = '4GB';
ALTER ROLE analyst      RESET ALL;
ALTER ROLE analyst      SET default_transaction_read_only = on;
ALTER ROLE analyst      SET statement_timeout = '15min';
ALTER ROLE analyst      SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE analyst      SET transaction_timeout = '1h';
ALTER ROLE analyst      SET idle_session_timeout = '12h';
ALTER ROLE analyst      SET temp_file_limit = '4GB';
ALTER ROLE analyst      SET search_path = mart, etl, quarantine;

COMMIT;

-- Databases -----------------------------------------------------------------------------------------------------------

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('airflow', 'airflow'), ('source', 'source_owner'), ('warehouse', 'postgres')) AS wanted (name, owner)
WHERE name NOT IN (SELECT datname FROM pg_database) \gexec

COMMENT ON DATABASE airflow   IS 'Airflow''s own state';
COMMENT ON DATABASE source    IS 'The demo''s source system: flights from New York';
COMMENT ON DATABASE warehouse IS 'What the pipelines load';

REVOKE ALL ON DATABASE postgres, template1, airflow, source, warehouse FROM PUBLIC;
GRANT CONNECT ON DATABASE source TO extract;
GRANT CONNECT ON DATABASE warehouse TO extract, load, recorder, report, analyst;
