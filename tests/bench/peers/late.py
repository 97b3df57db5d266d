"""Holds the author's function of the bench, and as a script calls it between one read and one write of Parquet."""

import sys


def late(flights):  # noqa: ANN001, ANN201 - an author's function
    """Give the flights that took off with their speed, and how late each airline was, day by day."""
    flights = flights[flights["dep_delay"].notna()]
    speed = flights["distance"] / flights["air_time"] * 60
    flights = flights.assign(speed=speed, late=flights["dep_delay"] > 15)
    daily = flights.groupby(["flight_date", "carrier"], as_index=False).agg(
        flights=("flight", "count"), late=("late", "sum"), delay=("dep_delay", "mean")
    )
    return {"flights": flights, "daily": daily}


if __name__ == "__main__":
    import pandas as pd

    source, out = sys.argv[1:]
    for name, frame in late(pd.read_parquet(source, dtype_backend="pyarrow")).items():
        frame.to_parquet(f"{out}.{name}", compression="zstd", index=False)
