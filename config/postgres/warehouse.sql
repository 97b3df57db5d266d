-- Database warehouse: its schemas, who may do what in them, and the ledger of loads.

CREATE SCHEMA IF NOT EXISTS mart;
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS quarantine;
CREATE SCHEMA IF NOT EXISTS etl;
COMMENT ON SCHEMA mart       IS 'Tables for people and reports';
COMMENT ON SCHEMA staging    IS 'What a load has copied in, and not merged yet';
COMMENT ON SCHEMA quarantine IS 'Rows that a check refused, with the reason and the run';
COMMENT ON SCHEMA etl        IS 'The platform''s own books';

-- The ledger ----------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS etl.loads (
    load_id        uuid PRIMARY KEY,
    pipeline       text NOT NULL,
    run_id         text NOT NULL,
    try_number     int,
    dataset        text NOT NULL,
    target_table   text NOT NULL,
    mode           text NOT NULL,
    interval_start timestamptz,
    interval_end   timestamptz,
    rows_staged    bigint,
    rows_inserted  bigint,
    rows_updated   bigint,
    rows_deleted   bigint,
    sha256         text,
    loaded_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    table_id       oid,
    rows_quarantined bigint NOT NULL DEFAULT 0,
    UNIQUE (pipeline, run_id, dataset, target_table)
);
-- What an older ledger lacks. IF NOT EXISTS would wait for every load under way, and let all others wait behind it, even
-- with nothing to add.
DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT format('ALTER TABLE etl.loads ADD COLUMN %I %s', wanted.name, wanted.type)
        FROM (VALUES ('table_id', 'oid'), ('rows_quarantined', 'bigint NOT NULL DEFAULT 0')) AS wanted (name, type)
        WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'etl.loads'::regclass AND attname = wanted.name)
    LOOP
        EXECUTE missing;
    END LOOP;
END
$$;

COMMENT ON TABLE  etl.loads                IS 'One row for each dataset that a run has loaded, written in the transaction that loaded it';
COMMENT ON COLUMN etl.loads.load_id        IS 'Names this load';
COMMENT ON COLUMN etl.loads.pipeline       IS 'The pipeline, as its file is named';
COMMENT ON COLUMN etl.loads.run_id         IS 'The run, as Airflow names it';
COMMENT ON COLUMN etl.loads.try_number     IS 'The try that committed, from 1';
COMMENT ON COLUMN etl.loads.dataset        IS 'The dataset that was loaded, as the transform named it';
COMMENT ON COLUMN etl.loads.target_table   IS 'Where it went, with its schema: mart.flights';
COMMENT ON COLUMN etl.loads.mode           IS 'How it was merged: append, replace, partition, upsert or history; refresh where all rows were replaced';
COMMENT ON COLUMN etl.loads.interval_start IS 'Begin of the run''s interval, inclusive';
COMMENT ON COLUMN etl.loads.interval_end   IS 'End of the run''s interval, exclusive';
COMMENT ON COLUMN etl.loads.rows_staged    IS 'Rows in the dataset';
COMMENT ON COLUMN etl.loads.rows_inserted  IS 'Rows that the merge added';
COMMENT ON COLUMN etl.loads.rows_updated   IS 'Rows that the merge changed';
COMMENT ON COLUMN etl.loads.rows_deleted   IS 'Rows that the merge removed';
COMMENT ON COLUMN etl.loads.rows_quarantined IS 'Rows that a check set aside before, which are not in the dataset any more';
COMMENT ON COLUMN etl.loads.sha256         IS 'Checksum of the Parquet file that was loaded';
COMMENT ON COLUMN etl.loads.table_id       IS 'Number of the table: one that is dropped and made again has another';
COMMENT ON COLUMN etl.loads.loaded_at      IS 'When it was loaded';

-- What sources remember ----------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS etl.watermarks (
    pipeline text NOT NULL,
    source   text NOT NULL,
    field    text NOT NULL,
    value    text NOT NULL,
    run_id   text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (pipeline, source, field)
);
COMMENT ON TABLE  etl.watermarks          IS 'How far each source has been read; moves only in the transaction that loaded the rows';
COMMENT ON COLUMN etl.watermarks.pipeline IS 'The pipeline, as its file is named';
COMMENT ON COLUMN etl.watermarks.source   IS 'The source, as the pipeline names it';
COMMENT ON COLUMN etl.watermarks.field    IS 'The column of the cursor, or etag or last-modified of a web source';
COMMENT ON COLUMN etl.watermarks.value    IS 'The largest value that was read, as text: ISO 8601 with offset, or digits';
COMMENT ON COLUMN etl.watermarks.run_id   IS 'The run that moved it last';
COMMENT ON COLUMN etl.watermarks.moved_at IS 'When that was';

CREATE TABLE IF NOT EXISTS etl.files (
    pipeline text NOT NULL,
    source   text NOT NULL,
    uri      text NOT NULL,
    sha256   text NOT NULL,
    bytes    bigint NOT NULL,
    run_id   text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (pipeline, source, uri, sha256)
);
COMMENT ON TABLE  etl.files          IS 'Which files each source has taken; written in the transaction that loaded their rows';
COMMENT ON COLUMN etl.files.pipeline IS 'The pipeline, as its file is named';
COMMENT ON COLUMN etl.files.source   IS 'The source, as the pipeline names it';
COMMENT ON COLUMN etl.files.uri      IS 'Where the file was';
COMMENT ON COLUMN etl.files.sha256   IS 'The checksum of its content';
COMMENT ON COLUMN etl.files.bytes    IS 'Its size';
COMMENT ON COLUMN etl.files.run_id   IS 'The run that took it';
COMMENT ON COLUMN etl.files.taken_at IS 'When that was';

-- What was checked ----------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS etl.checks (
    pipeline   text NOT NULL,
    run_id     text NOT NULL,
    dataset    text NOT NULL,
    rule       text NOT NULL,
    on_breach  text NOT NULL,
    rows       bigint NOT NULL,
    breaches   bigint NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (pipeline, run_id, dataset, rule)
);
COMMENT ON TABLE  etl.checks            IS 'What came of each rule in each run that has loaded';
COMMENT ON COLUMN etl.checks.pipeline   IS 'The pipeline, as its file is named';
COMMENT ON COLUMN etl.checks.run_id     IS 'The run, as Airflow names it';
COMMENT ON COLUMN etl.checks.dataset    IS 'The dataset that was checked';
COMMENT ON COLUMN etl.checks.rule       IS 'The rule, as it reads';
COMMENT ON COLUMN etl.checks.on_breach  IS 'What a breach does: fail, quarantine or warn';
COMMENT ON COLUMN etl.checks.rows       IS 'Rows that were checked';
COMMENT ON COLUMN etl.checks.breaches   IS 'Rows that breached it; of a rule over the whole table 1 or 0';
COMMENT ON COLUMN etl.checks.checked_at IS 'When it was written down';

CREATE TABLE IF NOT EXISTS quarantine.rows (
    pipeline       text NOT NULL,
    run_id         text NOT NULL,
    dataset        text NOT NULL,
    row_number     bigint NOT NULL,
    rule           text NOT NULL,
    column_name    text,
    value          text,
    also           text[] NOT NULL DEFAULT '{}',
    "row"          jsonb NOT NULL,
    interval_start timestamptz NOT NULL,
    interval_end   timestamptz NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (pipeline, run_id, dataset, row_number)
);
COMMENT ON TABLE  quarantine.rows                IS 'Rows that a check set aside, whole; written in the transaction that loaded the others';
COMMENT ON COLUMN quarantine.rows.pipeline       IS 'The pipeline, as its file is named';
COMMENT ON COLUMN quarantine.rows.run_id         IS 'The run, as Airflow names it';
COMMENT ON COLUMN quarantine.rows.dataset        IS 'The dataset that the row was in';
COMMENT ON COLUMN quarantine.rows.row_number     IS 'Its place there, from 1';
COMMENT ON COLUMN quarantine.rows.rule           IS 'The first rule that it breaches';
COMMENT ON COLUMN quarantine.rows.column_name    IS 'The column that this rule is about, if it is about one';
COMMENT ON COLUMN quarantine.rows.value          IS 'What stands in that column, or in those that the condition mentions';
COMMENT ON COLUMN quarantine.rows.also           IS 'The other rules that it breaches';
COMMENT ON COLUMN quarantine.rows."row"          IS 'The whole row, a field a column';
COMMENT ON COLUMN quarantine.rows.interval_start IS 'Begin of the run''s interval, inclusive';
COMMENT ON COLUMN quarantine.rows.interval_end   IS 'End of the run''s interval, exclusive';
COMMENT ON COLUMN quarantine.rows.quarantined_at IS 'When it was set aside';

-- What the stages took -----------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS etl.stage_runs (
    pipeline         text NOT NULL,
    run_id           text NOT NULL,
    stage            text NOT NULL,
    map_index        int NOT NULL DEFAULT -1,
    try_number       int NOT NULL,
    state            text NOT NULL,
    error            text,
    exit_code        int,
    interval_start   timestamptz NOT NULL,
    interval_end     timestamptz NOT NULL,
    started_at       timestamptz NOT NULL,
    ended_at         timestamptz NOT NULL,
    seconds          double precision NOT NULL,
    cpu_seconds      double precision,
    cpus             double precision NOT NULL,
    peak_memory      bigint,
    memory_limit     bigint NOT NULL,
    minutes          int NOT NULL,
    rows_in          bigint,
    rows_out         bigint,
    rows_quarantined bigint,
    bytes_in         bigint,
    bytes_out        bigint,
    image            text NOT NULL,
    PRIMARY KEY (pipeline, run_id, stage, map_index, try_number)
);
COMMENT ON TABLE  etl.stage_runs                  IS 'One row for each try of a stage, however it ended, with what it took';
COMMENT ON COLUMN etl.stage_runs.pipeline         IS 'The pipeline, as its file is named';
COMMENT ON COLUMN etl.stage_runs.run_id           IS 'The run, as Airflow names it';
COMMENT ON COLUMN etl.stage_runs.stage            IS 'extract, transform, load or visualize';
COMMENT ON COLUMN etl.stage_runs.map_index        IS 'Its number where Airflow runs a task several times side by side, otherwise -1';
COMMENT ON COLUMN etl.stage_runs.try_number       IS 'The try, from 1';
COMMENT ON COLUMN etl.stage_runs.state            IS 'success, skipped, failed, out_of_memory, timed_out or killed';
COMMENT ON COLUMN etl.stage_runs.error            IS 'The kind of fault: DataError, SpecError, Unavailable, NotStarted, ...';
COMMENT ON COLUMN etl.stage_runs.exit_code        IS 'How the container ended, if it did by itself or was killed in it';
COMMENT ON COLUMN etl.stage_runs.interval_start   IS 'Begin of the run''s interval, inclusive';
COMMENT ON COLUMN etl.stage_runs.interval_end     IS 'End of the run''s interval, exclusive';
COMMENT ON COLUMN etl.stage_runs.started_at       IS 'When the container started';
COMMENT ON COLUMN etl.stage_runs.ended_at         IS 'When it ended';
COMMENT ON COLUMN etl.stage_runs.seconds          IS 'What lies between';
COMMENT ON COLUMN etl.stage_runs.cpu_seconds      IS 'Seconds of a processor core that it computed; unknown where it was killed';
COMMENT ON COLUMN etl.stage_runs.cpus             IS 'The most cores that it might use';
COMMENT ON COLUMN etl.stage_runs.peak_memory      IS 'The most memory that it took, in bytes; its limit where it was killed for that, unknown where it was killed otherwise';
COMMENT ON COLUMN etl.stage_runs.memory_limit     IS 'The most memory that it might take, in bytes';
COMMENT ON COLUMN etl.stage_runs.minutes          IS 'How long it might take';
COMMENT ON COLUMN etl.stage_runs.rows_in          IS 'Rows that it read; unknown where it did not end well, as are the next three';
COMMENT ON COLUMN etl.stage_runs.rows_out         IS 'Rows that it handed on, or wrote into tables and files';
COMMENT ON COLUMN etl.stage_runs.rows_quarantined IS 'Rows that a check set aside';
COMMENT ON COLUMN etl.stage_runs.bytes_in         IS 'Bytes that it read: the files of the stage before, those of the inbox, and what came over its network';
COMMENT ON COLUMN etl.stage_runs.bytes_out        IS 'Bytes that it wrote: of extract and transform files, of load what went to the warehouse and into files';
COMMENT ON COLUMN etl.stage_runs.image            IS 'The image that it ran';

-- Indexes: made where they are missing, and not with IF NOT EXISTS, for the same reason -----------------------------------

DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT format('CREATE INDEX %I ON %s', wanted.name, wanted.columns)
        FROM (VALUES
            ('etl', 'loads_target_table_loaded_at_idx', 'etl.loads (target_table, loaded_at)'),
            ('etl', 'stage_runs_pipeline_stage_started_at_idx', 'etl.stage_runs (pipeline, stage, started_at)'),
            ('quarantine', 'rows_pipeline_interval_idx', 'quarantine.rows (pipeline, interval_start, interval_end)')
        ) AS wanted (schema, name, columns)
        WHERE to_regclass(format('%I.%I', wanted.schema, wanted.name)) IS NULL
    LOOP
        EXECUTE missing;
    END LOOP;
END
$$;

-- Rights --------------------------------------------------------------------------------------------------------------

GRANT USAGE, CREATE ON SCHEMA mart, staging, quarantine TO load;
GRANT USAGE ON SCHEMA etl TO load;
GRANT SELECT, INSERT, UPDATE ON etl.loads, etl.watermarks, etl.files TO load;
GRANT SELECT, INSERT, DELETE ON etl.checks, quarantine.rows TO load;
GRANT INSERT ON etl.stage_runs TO recorder;
GRANT USAGE ON SCHEMA etl TO extract, recorder;
GRANT SELECT ON etl.watermarks, etl.files TO extract;

GRANT USAGE ON SCHEMA mart TO extract, report, analyst;
GRANT USAGE ON SCHEMA etl, quarantine TO report, analyst;
GRANT USAGE ON SCHEMA staging TO analyst;

-- What is there, and whatever load makes later.
GRANT SELECT ON ALL TABLES IN SCHEMA mart TO extract, report, analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA etl, quarantine TO report, analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA staging TO analyst;
ALTER DEFAULT PRIVILEGES FOR ROLE load IN SCHEMA mart GRANT SELECT ON TABLES TO extract, report, analyst;
ALTER DEFAULT PRIVILEGES FOR ROLE load IN SCHEMA quarantine GRANT SELECT ON TABLES TO report, analyst;
ALTER DEFAULT PRIVILEGES FOR ROLE load IN SCHEMA staging GRANT SELECT ON TABLES TO analyst;
