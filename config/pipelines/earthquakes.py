"""Gives the columns of the USGS names that read well in the warehouse, and each event its strength in a word."""

import pandas as pd

from etl_contract import DataError

COLUMNS = {
    "id": "id",
    "time": "occurred_at",
    "latitude": "latitude",
    "longitude": "longitude",
    "depth": "depth_km",
    "mag": "magnitude",
    "magType": "magnitude_type",
    "place": "place",
    "type": "type",
    "status": "status",
    "nst": "stations",
    "gap": "largest_gap_degrees",
    "dmin": "nearest_station_degrees",
    "rms": "travel_time_residual_seconds",
    "horizontalError": "location_error_km",
    "depthError": "depth_error_km",
    "magError": "magnitude_error",
    "magNst": "magnitude_stations",
    "net": "network",
    "updated": "updated_at",
}
# The words of https://www.usgs.gov/programs/earthquake-hazards, from the magnitude at which each begins.
STRENGTHS = {"micro": -10, "minor": 3, "light": 4, "moderate": 5, "strong": 6, "major": 7, "great": 8}


def describe(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Name the columns, and give the strength."""
    if missing := sorted(set(COLUMNS) - set(events.columns)):
        hint = "Has the service changed? See https://earthquake.usgs.gov/earthquakes/feed/v1.0/csv.php"
        raise DataError(f"there is no {', '.join(missing)}", where="events", hint=hint)
    named = events[list(COLUMNS)].rename(columns=COLUMNS)
    strength = pd.Series(pd.NA, index=named.index, dtype=events["id"].dtype)
    for word, least in STRENGTHS.items():
        strength = strength.mask((named["magnitude"] >= least).fillna(False), word)  # noqa: FBT003 - pandas' own
    return {"earthquakes": named.assign(strength=strength)}
