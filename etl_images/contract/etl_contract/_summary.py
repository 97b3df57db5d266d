"""Models a report in short: what stands beside it as summary.json, for lists of many."""

from typing import Literal

from pydantic import AwareDatetime

from etl_contract._model import Model
from etl_contract._task import Interval


class Headline(Model):
    """A figure as the report's head shows it; `news` says whether its change is good or bad."""

    label: str
    text: str
    unit: str = ""
    change: str = ""
    direction: Literal["", "up", "down", "same"] = ""
    news: Literal["", "good", "bad"] = ""


class ReportSummary(Model):
    """What a list says of a report.

    `rows` are those that were loaded or exported, `breaches` counts the rules that were breached. `thumbnail` says in
    words what thumbnail-light.png and thumbnail-dark.png show, and is empty where there are none.
    """

    title: str
    pipeline: str
    run_id: str
    interval: Interval
    made: AwareDatetime
    rows: int = 0
    rows_quarantined: int = 0
    breaches: int = 0
    figures: tuple[Headline, ...] = ()
    thumbnail: str = ""
