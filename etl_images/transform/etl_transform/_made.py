"""Holds what a step leaves: the datasets that it read, and those that it made."""

from typing import NamedTuple

from etl_contract import Dataset


class Made(NamedTuple):
    """What a step read, and what it made."""

    read: list[Dataset]
    datasets: list[Dataset]
