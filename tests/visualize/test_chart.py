"""From an author's few words to valid Vega-Lite, or to an error that says which word is wrong."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from etl_contract import Chart, SpecError
from etl_visualize._chart import vega_lite
from tests.visualize.reporting import chart, table

WHERE = "chart 1 'Flights'"
BY_DAY = {"format": "%b %-d", "tickCount": "day"}
ROWS = [
    {
        "hour": 5,
        "origin": "EWR",
        "delay": Decimal("12.5"),
        "day": date(2026, 7, 1),
        "left_at": datetime(2026, 7, 1, 12, tzinfo=UTC),
        "planned": time(6, 30),
        "cancelled": False,
    },
    {
        "hour": 6,
        "origin": "JFK",
        "delay": None,
        "day": date(2026, 7, 2),
        "left_at": None,
        "planned": None,
        "cancelled": True,
    },
]


def _spec(given: Chart, rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return vega_lite(given, table(rows or ROWS), WHERE)


def _refusal(given: Chart) -> SpecError:
    with pytest.raises(SpecError) as caught:
        _spec(given)
    return caught.value


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("hour", "quantitative"),
        ("delay", "quantitative"),
        ("origin", "nominal"),
        ("cancelled", "nominal"),
        ("day", "temporal"),
        ("left_at", "temporal"),
        ("planned", "ordinal"),
    ],
)
def test_a_column_says_its_type_by_itself(column: str, expected: str) -> None:
    """An author writes a type only where another one is meant."""
    assert _spec(chart(x=column))["encoding"]["x"]["type"] == expected
    assert _spec(chart(x={"field": column}))["encoding"]["x"]["type"] == expected


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("hour:O", {"field": "hour", "type": "ordinal", "title": "Hour"}),
        ("left_at", {"field": "left_at", "type": "temporal", "title": "Left at"}),
        ("mean(delay)", {"aggregate": "mean", "field": "delay", "type": "quantitative"}),
        ("max(day)", {"aggregate": "max", "field": "day", "type": "temporal", "axis": BY_DAY}),
        ("count()", {"aggregate": "count", "title": "Count", "type": "quantitative"}),
        ("hours(left_at)", {"timeUnit": "hours", "field": "left_at", "type": "temporal"}),
        ({"field": "hour:O", "title": None}, {"field": "hour", "type": "ordinal", "title": None}),
        ({"field": "delay", "bin": True}, {"field": "delay", "bin": True, "type": "quantitative"}),
        ({"value": 3}, {"value": 3}),
    ],
)
def test_short_texts_and_objects_mean_what_they_say(short: str | dict[str, Any], expected: dict[str, Any]) -> None:
    """Both ways of writing a channel end in the same full one."""
    assert _spec(chart(y=short))["encoding"]["y"] == expected


@pytest.mark.parametrize(
    ("days", "axis"),
    [
        (["2026-07-01"], BY_DAY),
        (["2026-07-01", "2026-07-02", "2026-07-09"], BY_DAY),
        ([f"2026-07-{day:02}" for day in range(1, 30)], {"format": "%b %-d"}),
        (["2024-01-01", "2026-01-01"], None),
        (["2026-02-29", "2026-02-30"], None),
    ],
)
def test_days_are_marked_as_days(days: list[str], axis: dict[str, Any] | None) -> None:
    """No hours between few, as Vega would mark them; what is no day of the calendar only looks like one."""
    rows = [{"day": day, "n": 1} for day in days]

    assert vega_lite(chart("line", x="day:T", y="n"), table(rows), "x")["encoding"]["x"].get("axis") == axis


def test_the_far_end_of_a_mark_needs_no_type() -> None:
    """Vega-Lite takes none for x2."""
    assert _spec(chart(x="hour", x2="delay"))["encoding"]["x2"] == {"field": "delay", "title": "Delay"}


def test_a_column_that_is_not_there_is_told_with_the_nearest() -> None:
    """A slip of the pen costs no search."""
    assert _refusal(chart(x="gate")).hint == "It gives hour, origin, delay, day, left_at, planned, cancelled."
    error = _refusal(chart(x="huor:O"))

    assert error.problem == "the query gives no column 'huor'."
    assert error.where == "chart 1 'Flights', encoding.x"
    assert error.hint == "Did you mean 'hour'?"


def test_columns_that_a_transform_makes_are_known() -> None:
    """`as` names a column as well as the query does."""
    transform = [{"calculate": "datum.delay * 2", "as": "double"}, {"fold": ["hour", "delay"]}]
    made = Chart(title="x", sql="x", mark="bar", encoding={"x": "double:Q", "y": "key:N"}, transform=transform)

    assert _spec(made)["transform"] == transform


@pytest.mark.parametrize(
    ("wrong", "problem", "where", "hint"),
    [
        (
            chart("liine", x="hour"),
            "'liine' is an invalid value for `type`. Valid values are one of",
            "mark, type",
            "See",
        ),
        (
            chart({"type": "bar", "opacty": 1}, x="hour"),
            "`MarkDef` has no parameter named 'opacty'.",
            "mark",
            "Did you mean 'opacity'?",
        ),
        (
            chart(x={"field": "hour", "axis": {"titel": "x"}}),
            "`Axis` has no parameter named 'titel'.",
            "encoding.x.axis",
            "Did you mean 'title'?",
        ),
        (chart(zz="hour"), "`Encoding` has no parameter named 'zz'.", "encoding", "There are angle, color"),
        (
            chart(x={"field": "hour", "type": "number"}),
            "'number' is an invalid value for `type`.",
            "encoding.x.type",
            "See",
        ),
        (chart(x="hour:Z"), '"Z" is not one of the valid encoding data types', "encoding.x", "Write the column"),
        (chart(x="mean(delay"), "the query gives no column 'mean(delay'.", "encoding.x", "Did you mean 'delay'?"),
    ],
)
def test_what_vega_lite_does_not_know_is_told_by_its_place(wrong: Chart, problem: str, where: str, hint: str) -> None:
    """The error names the word, where it stands, and what could be meant."""
    error = _refusal(wrong)

    assert error.problem.startswith(problem)
    assert error.where == f"{WHERE}, {where}"
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("online", "word"),
    [
        (chart(x="hour", href="origin"), "href"),
        (chart({"type": "bar", "href": "https://example.org"}, x="hour"), "href"),
        (chart("image", x="hour"), "mark image"),
        (chart(x="hour", url="origin"), "url"),
        (
            Chart(
                title="x",
                sql="x",
                mark="bar",
                encoding={"x": "city:N"},
                transform=[
                    {
                        "lookup": "origin",
                        "from": {"data": {"url": "file:///run/secrets/warehouse/uri"}, "key": "a", "fields": ["city"]},
                    }
                ],
            ),
            "url",
        ),
    ],
)
def test_a_report_reaches_for_nothing_outside(online: Chart, word: str) -> None:
    """Links, pictures and data from elsewhere are refused, in whatever part of the chart they stand."""
    assert _refusal(online).problem == f"'{word}' is not possible in a report."


def test_days_stay_the_days_that_they_are() -> None:
    """A browser west of Greenwich would show the day before; so would it of a text that is read as time."""
    rows = [{"day": date(2026, 7, 1), "text": "2026-07-01", "at": datetime(2026, 7, 1, 9, tzinfo=UTC)}]
    data = _spec(chart(x="day", y="text:T", color="at"), rows)["data"]

    assert data["format"] == {"parse": {"day": "date:'%Y-%m-%d'", "text": "date:'%Y-%m-%d'"}}
    assert data["values"] == [{"day": "2026-07-01", "text": "2026-07-01", "at": "2026-07-01T05:00:00"}]
    assert "format" not in _spec(chart(x="day:O"), rows)["data"]


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("select origin from f order by delay desc", True),
        ("select origin from f ORDER\n BY 1 limit 10", True),
        ("select origin, row_number() over (order by hour) from f", False),
        ("select origin from f", False),
    ],
)
def test_names_stand_in_the_order_of_the_query(sql: str, kept: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """`order by` at its end orders a nominal axis; without it names are sorted."""
    assert ("sort" in _spec(chart(sql=sql, y="origin"))["encoding"]["y"]) is kept


def test_stacks_follow_the_legend() -> None:
    """An order that the author gives to colours holds for the bars too."""
    encoding = _spec(chart(x="hour", color={"field": "origin", "scale": {"domain": ["JFK", "EWR"]}}))["encoding"]

    assert encoding["color"]["sort"] == ["JFK", "EWR"]
    assert encoding["order"] == {"field": "color_origin_sort_index", "type": "quantitative"}


def test_the_legend_brings_a_series_forward() -> None:
    """A click on a name dims the others; where the author decides on opacity, it stays so."""
    assert _spec(chart(x="hour", color="origin"))["params"][0]["bind"] == "legend"
    assert "params" not in _spec(chart(x="hour", color="origin", opacity={"value": 0.5}))
    assert "params" not in _spec(chart(x="hour", color="delay"))


def test_points_of_a_line_answer_to_the_pointer() -> None:
    """Its path would tell its first row wherever it is touched."""
    mark = _spec(chart("line", x="hour", y="delay"))["mark"]

    assert "tooltip" not in mark
    assert mark["point"]["tooltip"] is True
    assert mark["point"]["opacity"] == 0
    assert "opacity" not in _spec(chart({"type": "line", "point": True}, x="hour"))["mark"]["point"]


def test_a_chart_is_told_in_words() -> None:
    """Who does not see it learns what it shows."""
    spec = _spec(chart("line", title="Delay", x="hour:O", y="mean(delay)", color="origin"))

    assert spec["description"].startswith("Delay: line chart, x Hour, y mean of delay, color Origin")
    assert spec["description"].endswith("; 2 rows.")
