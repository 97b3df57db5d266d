-- The keys, once the rows are there. Both begin with the local hour, by which the views find their rows.

ALTER TABLE history.flights_2013 ADD PRIMARY KEY (month, day, hour, carrier, flight);
-- On 3 November the hour from 1 to 2 was observed twice: clocks were put back.
ALTER TABLE history.weather_2013 ADD PRIMARY KEY (month, day, hour, origin, time_hour);

ANALYZE history.flights_2013, history.weather_2013, public.airlines, public.planes, public.airports;
