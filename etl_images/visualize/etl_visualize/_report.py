"""Holds all that a report tells."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from etl_contract import VisualizeTask
from etl_visualize._drawing import Drawing
from etl_visualize._figure import Measured
from etl_visualize._listing import Listing
from etl_visualize._table import Table


class Report(NamedTuple):
    """The parts of a report, with the task that asked for them.

    `reasons` are those of the rows that were set aside, `failed_tries` those of any stage of the run so far.
    """

    task: VisualizeTask
    made: datetime
    figures: Sequence[Measured] = ()
    drawings: Sequence[Drawing] = ()
    listings: Sequence[Listing] = ()
    reasons: Table = Table({}, [])
    failed_tries: Table = Table({}, [])
