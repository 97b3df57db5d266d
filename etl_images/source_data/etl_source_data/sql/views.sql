-- The year 2013, each row moved by whole years to the latest day of its month and day that is over in New York.
-- So yesterday always has data, today and tomorrow have none, and 29 February has none either: 2013 had no such day.

CREATE FUNCTION history.today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    nullif(current_setting('source.today', true), '')::date,
    (now() AT TIME ZONE 'America/New_York')::date
);
COMMENT ON FUNCTION history.today() IS
    'Today in New York. Another day for a test: SET source.today = ''2028-03-05''';

CREATE TABLE history.hours_2013 (
    month int,
    day   int,
    hour  int,
    PRIMARY KEY (month, day, hour)
);
COMMENT ON TABLE  history.hours_2013       IS 'Every local hour of the calendar of 2013';
COMMENT ON COLUMN history.hours_2013.month IS 'Month';
COMMENT ON COLUMN history.hours_2013.day   IS 'Day';
COMMENT ON COLUMN history.hours_2013.hour  IS 'Hour, from 0 to 23';
INSERT INTO history.hours_2013
SELECT extract(month FROM t), extract(day FROM t), extract(hour FROM t)
FROM generate_series(timestamp '2013-01-01', timestamp '2013-12-31 23:00', interval '1 hour') AS t;
ANALYZE history.hours_2013;

-- A condition on time_hour is tried on these 8,760 hours only; the rows of the hours that pass are found by their keys.
-- The instant is made anew from the local hour: summer time begins and ends on other days than in 2013. An hour that
-- clocks skip in its new year is left out; one that they repeat is taken for the second, in standard time.
CREATE VIEW history.hours AS
WITH today AS MATERIALIZED (
    SELECT extract(year FROM day)::int AS year, extract(month FROM day)::int AS month, extract(day FROM day)::int AS day
    FROM history.today() AS day
), moved AS (
    SELECT
        hours.*,
        today.year - CASE WHEN (hours.month, hours.day) < (today.month, today.day) THEN 0 ELSE 1 END AS year
    FROM history.hours_2013 AS hours, today
), instants AS (
    SELECT moved.*, make_timestamp(year, month, day, hour, 0, 0) AT TIME ZONE 'America/New_York' AS time_hour
    FROM moved
)
SELECT year, month, day, hour, time_hour
FROM instants
WHERE extract(hour FROM time_hour AT TIME ZONE 'America/New_York') = hour;
COMMENT ON VIEW   history.hours           IS 'Every local hour of the calendar of 2013, and where it was moved to';
COMMENT ON COLUMN history.hours.year      IS 'Year it was moved to';
COMMENT ON COLUMN history.hours.month     IS 'Month';
COMMENT ON COLUMN history.hours.day       IS 'Day';
COMMENT ON COLUMN history.hours.hour      IS 'Hour, from 0 to 23';
COMMENT ON COLUMN history.hours.time_hour IS 'The moved hour, as an instant';

CREATE VIEW public.flights AS
SELECT
    hours.year, month, day,
    dep_time, sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay,
    carrier, flight, tailnum, origin, dest, air_time, distance,
    hour, minute, hours.time_hour
FROM history.hours
JOIN history.flights_2013 USING (month, day, hour);
COMMENT ON VIEW public.flights IS 'Departures from New York in the last twelve months: those of 2013, moved by whole years; times are local';

CREATE VIEW public.weather AS
SELECT
    origin, hours.year, month, day, hour,
    temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib,
    hours.time_hour
FROM history.hours
JOIN history.weather_2013 USING (month, day, hour);
COMMENT ON VIEW public.weather IS 'Hourly weather at the three airports in the last twelve months: that of 2013, moved by whole years';

DO $$
DECLARE
    of_column record;
BEGIN
    FOR of_column IN
        SELECT shown.attrelid::regclass AS name, shown.attname, col_description(kept.attrelid, kept.attnum) AS said
        FROM pg_attribute AS shown
        JOIN pg_attribute AS kept ON kept.attname = shown.attname
        WHERE (shown.attrelid::regclass, kept.attrelid::regclass) IN (
            ('public.flights'::regclass, 'history.flights_2013'::regclass),
            ('public.weather'::regclass, 'history.weather_2013'::regclass)
        ) AND shown.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', of_column.name, of_column.attname, of_column.said);
    END LOOP;
END
$$;
