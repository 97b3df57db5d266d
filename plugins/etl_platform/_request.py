"""Reads what somebody asked of a run, in the trigger form, by REST or by a command, and tells all that is wrong."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from etl_contract import Interval, Parameter, SpecError
from etl_platform._interval import local_day
from etl_platform._pipeline import Pipeline
from etl_platform._problems import guess
from etl_platform._refresh import refresh_problems

OWN = ("day", "start", "end", "dry_run", "full_refresh")
HINT = "Trigger the run again with other values; docs/pipelines.md, 'What a run is about', has them all."


class Request(NamedTuple):
    """What a run is asked for: about which interval, if that was said, in which manner, with which parameters."""

    interval: Interval | None
    params: dict[str, Parameter]
    dry_run: bool = False
    full_refresh: bool = False


def read_request(
    pipeline: Pipeline, filled_in: Mapping[str, Any], now: datetime | None = None, *, backfill: bool = False
) -> Request:
    """Read the values of a run's form.

    Args:
        pipeline: whose run it is.
        filled_in: the values by name; what is not there is as if left empty.
        now: when that is; this moment if nothing is said.
        backfill: it is one of a backfill's runs, each of which has its own interval.

    Raises:
        SpecError: with every problem.
    """
    problems: list[str] = []
    interval = _Span(pipeline, filled_in, now or datetime.now(UTC), problems).interval()
    flags = {name: _flag(name, filled_in.get(name), problems) for name in ("dry_run", "full_refresh")}
    if flags["full_refresh"]:
        problems += [f"full_refresh: it is about all there is; leave {name} empty" for name in _given(filled_in)]
        problems += [f"full_refresh: {problem}" for problem in refresh_problems(pipeline)]
    if backfill:
        asked = _given(filled_in) + ["full_refresh"] * flags["full_refresh"]
        problems += [f"{name}: each run of a backfill is about its own interval; leave {name} empty" for name in asked]
    params = dict(_params(pipeline, filled_in, problems))
    known = [*OWN, *pipeline.params]
    # Other words are let be, as Airflow does: a run that is cleared may have been triggered with fields of former days.
    meant = {name: guess(name, known) for name in filled_in if name not in known}
    problems += [f"{name}: there is no such field{meant[name]}" for name in meant if meant[name]]
    if len(problems) == 1:
        raise SpecError(problems[0], hint=HINT)
    if problems:
        raise SpecError(f"the run cannot be, for {len(problems)} reasons:\n  " + "\n  ".join(problems), hint=HINT)
    return Request(interval, params, **flags)


def is_dry_run(filled_in: Mapping[str, Any] | None) -> bool:
    """Say whether a run was asked for that loads nothing."""
    return (filled_in or {}).get("dry_run") is True


def _given(filled_in: Mapping[str, Any]) -> list[str]:
    return [name for name in ("day", "start", "end") if filled_in.get(name) not in (None, "")]


def _flag(name: str, value: Any, problems: list[str]) -> bool:  # noqa: ANN401 - whatever was given
    if value not in (None, True, False):
        problems.append(f"{name}: {value!r} is neither true nor false")
    return value is True


def _params(pipeline: Pipeline, filled_in: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Parameter]]:
    for name, parameter in pipeline.params.items():
        try:
            yield name, parameter.with_value(filled_in[name]) if name in filled_in else parameter
        except ValueError as error:
            problems.append(f"{name}: {error}")


class _Span:
    """Finds the span of time that was asked for; a date stands for the whole of its day."""

    def __init__(self, pipeline: Pipeline, filled_in: Mapping[str, Any], now: datetime, problems: list[str]) -> None:
        self._zone = pipeline.timezone
        self._values = {name: filled_in[name] for name in _given(filled_in)}
        self._now = now.astimezone(ZoneInfo(self._zone))
        self._problems = problems

    def interval(self) -> Interval | None:
        """Give it, or nothing where none was asked for, or it cannot be."""
        values = self._values
        before = len(self._problems)
        if "day" in values and len(values) > 1:
            others = " and ".join(name for name in values if name != "day")
            self._problems.append(f"day: give either it or start and end, not {others} too")
        elif len(values) == 1 and "day" not in values:
            (name,) = values
            self._problems.append(f"{name}: give {'end' if name == 'start' else 'start'}, too, or day instead")
        moments = {name: self._moment(name, value) for name, value in values.items()}
        self._refuse_future(moments)
        if len(self._problems) > before or not moments:
            return None
        start, end = moments.get("day") or moments["start"], moments.get("day") or moments["end"]
        if isinstance(start, date) and start == end and not isinstance(start, datetime):
            return local_day(start, self._zone)
        try:
            return Interval(start=self._edge(start), end=self._edge(end, is_end=True), timezone=self._zone)
        except ValidationError:
            self._problems.append(f"end: {values['end']} is not after start, {values['start']}")
            return None

    def _moment(self, name: str, value: Any) -> date | datetime | None:  # noqa: ANN401 - as above
        """Read an ISO date or an ISO instant; one without an offset is on the pipeline's clock."""
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            pass
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            moment = None
        if moment is None or name == "day":
            example = "2026-01-31" if name == "day" else "2026-01-31 or 2026-01-31T06:00"
            self._problems.append(f"{name}: {value!r} is no {'date' if name == 'day' else 'time'}; write {example}")
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self._zone))

    def _refuse_future(self, moments: Mapping[str, date | datetime | None]) -> None:
        for name, moment in moments.items():
            if moment is None:
                continue
            later = moment > self._now if isinstance(moment, datetime) else moment > self._now.date()
            if later:
                shown = f"{self._now:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{self._now:%Y-%m-%d}"
                value = self._values[name]
                self._problems.append(f"{name}: {value} lies in the future; in {self._zone} it is {shown}")

    def _edge(self, moment: date | datetime | None, *, is_end: bool = False) -> datetime:
        if isinstance(moment, datetime):
            return moment
        assert moment is not None  # noqa: S101 - told above
        return datetime.combine(moment + timedelta(days=is_end), time.min, ZoneInfo(self._zone))
