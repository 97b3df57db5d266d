"""What flights.py makes of a day, on rows that a person can check."""

import importlib.util
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

FILE = Path(__file__).parents[2] / "config" / "pipelines" / "flights.py"


@pytest.fixture(scope="module")
def flights_py() -> ModuleType:
    """Give the author's module."""
    spec = importlib.util.spec_from_file_location("flights", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _arrow(rows: list[dict[str, Any]], types: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(types)).astype({name: f"{kind}[pyarrow]" for name, kind in types.items()})


FLIGHT = {
    "time_hour": datetime.fromisoformat("2026-11-01T05:00Z"),
    "minute": 15,
    "carrier": "UA",
    "flight": 1545,
    "tailnum": "N14228",
    "origin": "EWR",
    "dest": "IAH",
    "dep_delay": 2,
    "arr_delay": 11,
    "air_time": 120,
    "distance": 1000,
}
FLIGHT_TYPES = dict.fromkeys(
    ("minute", "flight", "dep_delay", "arr_delay", "air_time", "distance"), "int64"
) | dict.fromkeys(("carrier", "tailnum", "origin", "dest"), "string")


def _enrich(
    module: ModuleType, *flights: dict[str, Any], weather: list[dict[str, Any]] | None = None
) -> dict[str, pd.DataFrame]:
    rows = [FLIGHT | flight for flight in flights]
    instant = "timestamp[us, tz=UTC]"
    produced: dict[str, pd.DataFrame] = module.enrich(
        flights=_arrow(rows, {"time_hour": instant, **FLIGHT_TYPES}),
        weather=_arrow(
            weather or [],
            {"origin": "string", "time_hour": instant}
            | dict.fromkeys(("temp", "wind_speed", "precip", "visib"), "double"),
        ),
        airlines=_arrow([{"carrier": "UA", "name": "United"}], {"carrier": "string", "name": "string"}),
        planes=_arrow(
            [{"tailnum": "N14228", "year": 1999, "manufacturer": "BOEING", "model": "737-824", "seats": 149}],
            {"tailnum": "string", "year": "int64", "manufacturer": "string", "model": "string", "seats": "int64"},
        ),
        airports=_arrow(
            [{"faa": "EWR", "name": "Newark"}, {"faa": "IAH", "name": "Houston"}], {"faa": "string", "name": "string"}
        ),
    )
    return produced


def test_a_flight_is_told_with_all_that_is_known_of_it(flights_py: ModuleType) -> None:
    """Airline, aircraft, airports and weather of the hour stand beside the flight."""
    weather = [
        {
            "origin": "EWR",
            "time_hour": FLIGHT["time_hour"],
            "temp": 50.0,
            "wind_speed": 8.0,
            "precip": 0.0,
            "visib": 10.0,
        }
    ]

    flight = _enrich(flights_py, {}, weather=weather)["flights"].iloc[0]

    assert (flight["airline"], flight["origin_name"], flight["dest_name"]) == ("United", "Newark", "Houston")
    assert (flight["manufacturer"], flight["aircraft_model"], flight["seats"]) == ("BOEING", "737-824", 149)
    assert (flight["temperature_f"], flight["wind_speed"]) == (50.0, 8.0)
    assert flight["speed_mph"] == 500.0


def test_what_is_not_known_stays_empty_and_the_flight_stays(flights_py: ModuleType) -> None:
    """An unregistered aircraft, an unknown airport or an hour without weather costs no row."""
    flight = _enrich(flights_py, {"tailnum": None, "dest": "XXX", "carrier": "ZZ"})["flights"].iloc[0]

    assert flight["airline"] == "ZZ"
    assert flight[["manufacturer", "dest_name", "temperature_f"]].isna().all()


@pytest.mark.parametrize(
    ("instant", "day", "hour"),
    [
        ("2026-11-01T05:00Z", date(2026, 11, 1), 1),  # 01:00, the first time
        ("2026-11-01T06:00Z", date(2026, 11, 1), 1),  # 01:00, the second time
        ("2026-11-02T04:00Z", date(2026, 11, 1), 23),
        ("2026-03-08T07:00Z", date(2026, 3, 8), 3),  # an hour after 01:00
        ("2028-02-29T12:00Z", date(2028, 2, 29), 7),
    ],
)
def test_the_day_and_hour_are_new_yorks(flights_py: ModuleType, instant: str, day: date, hour: int) -> None:
    """A flight belongs to the local day, also when the clocks change and on a leap day."""
    flight = _enrich(flights_py, {"time_hour": datetime.fromisoformat(instant)})["flights"].iloc[0]

    assert (flight["flight_date"], flight["scheduled_hour"]) == (day, hour)
    assert flight["departure"] - flight["scheduled_departure"] == pd.Timedelta(minutes=2)


@pytest.mark.parametrize(
    ("delay", "category"),
    [(-120, "early"), (-1, "early"), (0, "on time"), (14, "on time"), (15, "late"), (59, "late"), (60, "very late")],
)
def test_a_delay_has_a_category(flights_py: ModuleType, delay: int, category: str) -> None:
    """Fifteen minutes is late, an hour is very late."""
    assert _enrich(flights_py, {"dep_delay": delay})["flights"]["delay_category"].tolist() == [category]


@pytest.mark.parametrize(
    "impossible", [{"dep_delay": None}, {"dep_delay": -121}, {"dep_delay": 3001}, {"distance": 0}, {"air_time": 1}]
)
def test_what_was_cancelled_or_cannot_be_is_no_flight(flights_py: ModuleType, impossible: dict[str, Any]) -> None:
    """It is counted among the planned ones, and is no row of flights."""
    produced = _enrich(flights_py, {}, impossible)

    assert len(produced["flights"]) == 1
    assert produced["daily_delays"]["planned"].tolist() == [2]


def test_a_diverted_flight_stays(flights_py: ModuleType) -> None:
    """A flight that left but never arrived has no speed, and is still a flight."""
    flight = _enrich(flights_py, {"air_time": None, "arr_delay": None})["flights"].iloc[0]

    assert pd.isna(flight["speed_mph"])


def test_an_hour_of_weather_that_stands_twice_makes_no_flight_twice(flights_py: ModuleType) -> None:
    """The source repeats an hour in autumn."""
    hour = {
        "origin": "EWR",
        "time_hour": FLIGHT["time_hour"],
        "temp": 50.0,
        "wind_speed": 8.0,
        "precip": 0.0,
        "visib": 10.0,
    }

    assert len(_enrich(flights_py, {}, weather=[hour, hour | {"temp": 49.0}])["flights"]) == 1


def test_a_day_is_summed_by_airport_and_airline(flights_py: ModuleType) -> None:
    """A cancelled flight counts as planned and cancelled, and in no mean."""
    daily = _enrich(flights_py, {"dep_delay": 10}, {"dep_delay": 20}, {"dep_delay": None}, {"origin": "JFK"})[
        "daily_delays"
    ]

    newark = daily[daily["origin"] == "EWR"].iloc[0]
    assert (newark["planned"], newark["departed"], newark["cancelled"]) == (3, 2, 1)
    assert newark["mean_dep_delay"] == 15.0
    assert len(daily) == 2


def test_a_day_without_flights_has_the_same_columns(flights_py: ModuleType) -> None:
    """An empty day loads like any other."""
    full, empty = _enrich(flights_py, {}), _enrich(flights_py)

    for name, frame in empty.items():
        assert frame.empty
        assert list(frame.columns) == list(full[name].columns)
