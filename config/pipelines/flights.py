"""Turns a day of departures into rows that answer questions: which airline, which aircraft, what weather, how late."""

import pandas as pd

NEW_YORK = "America/New_York"

# A delay outside these minutes, or a speed that no airliner flies, is a slip of the source.
POSSIBLE_DELAY = (-120, 3000)
POSSIBLE_SPEED_MPH = 800

DELAY_CATEGORIES = {"early": -1, "on time": 14, "late": 59, "very late": POSSIBLE_DELAY[1]}  # up to, in minutes


def enrich(
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    airlines: pd.DataFrame,
    planes: pd.DataFrame,
    airports: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Give the flights that took off, enriched, and a line a day, airport and airline about all that were planned."""
    planned = add_airline(normalise(flights), airlines)
    departed = planned[is_possible(planned)]
    cancelled = planned["dep_delay"].isna().sum()
    print(
        f"{len(planned)} flights planned, {cancelled} cancelled, {len(planned) - len(departed) - cancelled} impossible"
    )
    enriched = add_weather(add_airports(add_aircraft(departed, planes), airports), weather)
    return {"flights": derive(enriched), "daily_delays": daily_delays(planned)}


def normalise(flights: pd.DataFrame) -> pd.DataFrame:
    """Give each column one meaning: instants as instants, the day as New York's calendar has it."""
    local = flights["time_hour"].dt.tz_convert(NEW_YORK)
    scheduled = flights["time_hour"] + pd.to_timedelta(flights["minute"].astype("int64"), unit="min")
    return pd.DataFrame(
        {
            "flight_date": local.dt.date,
            "scheduled_hour": local.dt.hour.astype("int16[pyarrow]"),
            "scheduled_departure": scheduled,
            "carrier": flights["carrier"].str.strip().str.upper(),
            "flight_number": flights["flight"],
            "tailnum": flights["tailnum"].str.strip().str.upper(),
            "origin": flights["origin"].str.strip().str.upper(),
            "dest": flights["dest"].str.strip().str.upper(),
            "dep_delay": flights["dep_delay"],
            "arr_delay": flights["arr_delay"],
            "air_time": flights["air_time"],
            "distance": flights["distance"],
            "time_hour": flights["time_hour"],
        }
    )


def is_possible(flights: pd.DataFrame) -> pd.Series:
    """Say which flights took off, and could have flown as they are told."""
    speed = flights["distance"] / (flights["air_time"] / 60)
    return (
        flights["dep_delay"].between(*POSSIBLE_DELAY).fillna(value=False)
        & (flights["distance"] > 0).fillna(value=False)
        & (speed.isna() | speed.between(0, POSSIBLE_SPEED_MPH)).fillna(value=False)
    )


def add_airline(flights: pd.DataFrame, airlines: pd.DataFrame) -> pd.DataFrame:
    """Name the airline; a carrier that the list does not know keeps its code."""
    names = airlines.rename(columns={"name": "airline"})[["carrier", "airline"]]
    named = flights.merge(names, on="carrier", how="left", validate="many_to_one")
    named["airline"] = named["airline"].fillna(named["carrier"])
    return named


def add_aircraft(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Tell the aircraft, where its tail number is registered."""
    aircraft = planes.rename(columns={"year": "aircraft_year", "model": "aircraft_model"})
    columns = ["tailnum", "manufacturer", "aircraft_model", "aircraft_year", "seats"]
    return flights.merge(aircraft[columns], on="tailnum", how="left", validate="many_to_one")


def add_airports(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Name both airports."""
    for end in ("origin", "dest"):
        names = airports.rename(columns={"faa": end, "name": f"{end}_name"})[[end, f"{end}_name"]]
        flights = flights.merge(names, on=end, how="left", validate="many_to_one")
    return flights


def add_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Tell the weather of the hour; the source repeats an hour in autumn, of which the first line counts."""
    columns = {"temp": "temperature_f", "wind_speed": "wind_speed", "precip": "precipitation", "visib": "visibility"}
    hourly = weather.drop_duplicates(["origin", "time_hour"]).rename(columns=columns)
    hourly = hourly[["origin", "time_hour", *columns.values()]]
    return flights.merge(hourly, on=["origin", "time_hour"], how="left", validate="many_to_one")


def derive(flights: pd.DataFrame) -> pd.DataFrame:
    """Add what follows from the rest: when it left, how fast it flew, how late it was."""
    delay = pd.to_timedelta(flights["dep_delay"].astype("int64"), unit="min")
    bounds = [POSSIBLE_DELAY[0] - 1, *DELAY_CATEGORIES.values()]
    category = pd.cut(flights["dep_delay"].astype("int64"), bounds, labels=list(DELAY_CATEGORIES))
    return flights.assign(
        departure=flights["scheduled_departure"] + delay,
        speed_mph=(flights["distance"] / (flights["air_time"] / 60)).round(1),
        delay_category=category.astype("str"),
    ).drop(columns="time_hour")


def daily_delays(planned: pd.DataFrame) -> pd.DataFrame:
    """Count and average a day's flights by airport and airline; a cancelled flight has no delay."""
    groups = planned.groupby(["flight_date", "origin", "carrier", "airline"], as_index=False)
    daily = groups.agg(
        planned=("flight_number", "size"),
        departed=("dep_delay", "count"),
        mean_dep_delay=("dep_delay", "mean"),
        mean_arr_delay=("arr_delay", "mean"),
    )
    daily["cancelled"] = daily["planned"] - daily["departed"]
    return daily
