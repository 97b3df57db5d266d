"""Any sequence of loads leaves what a model in plain Python says, in every mode, also when a column comes later."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from etl_contract import DataError, LoadMode
from tests.load.warehouse import Loading, day_of

MARCH = date(2024, 2, 29)
TARGETS: Mapping[str, dict[str, Any]] = {
    "append": {"mode": "append"},
    "replace": {"mode": "replace"},
    "partition": {"mode": "partition", "partition": "day"},
    "upsert": {"mode": "upsert", "key": ["id"]},
    "upsert_missing": {"mode": "upsert", "key": ["id"], "delete": "missing"},
    "upsert_gone": {"mode": "upsert", "key": ["id"], "delete": "gone"},
    "history": {"mode": "history", "key": ["id"]},
    "history_missing": {"mode": "history", "key": ["id"], "delete": "missing"},
    "history_gone": {"mode": "history", "key": ["id"], "delete": "gone"},
}
Value = tuple[str | None, str | None]  # the second is missing until the dataset has its column
Row = tuple[int, Value, bool]  # id, value, gone
WORDS = st.sampled_from(["a", "b", None])
ROWS = st.dictionaries(st.integers(1, 4), st.tuples(st.tuples(WORDS, WORDS), st.booleans()), max_size=4)


class Model:
    """Remembers every load, and says what the table of a target then holds."""

    def __init__(self, target: Mapping[str, Any]) -> None:
        self.mode = LoadMode(target["mode"])
        self.delete = target.get("delete")
        self.wide = False  # whether the second value has its column
        self.loads: list[tuple[int, list[Row]]] = []

    def refuses(self, day: int) -> bool:
        """Tell whether a load of that day would change the past."""
        return self.mode is LoadMode.history and any(day < other for other, _ in self.loads)

    def rows(self) -> list[tuple[Any, ...]]:
        """Give the rows: value by id, with the day, or the first day and the day after the last."""
        match self.mode:
            case LoadMode.append | LoadMode.partition:
                days = dict(self.loads)
                return [(id_, value, day) for day, rows in days.items() for id_, value, _ in rows]
            case LoadMode.replace:
                return [(id_, value, day) for day, rows in self.loads[-1:] for id_, value, _ in rows]
            case LoadMode.upsert:
                return self._upserted()
        return list(self._versions())

    def _upserted(self) -> list[tuple[Any, ...]]:
        found: dict[int, tuple[Any, ...]] = {}
        for day, rows in self.loads:
            if self.delete == "missing":
                found = {id_: row for id_, row in found.items() if id_ in {id_ for id_, _, _ in rows}}
            for id_, value, gone in rows:
                found[id_] = (id_, value, day)
                if gone and self.delete == "gone":
                    del found[id_]
        return list(found.values())

    def _versions(self) -> Iterable[tuple[Any, ...]]:
        """Replay the days in order: of each, what was said last of a row."""
        said: dict[int, dict[int, tuple[Value, bool]]] = {}
        for day, rows in self.loads:
            before = {} if self.delete == "missing" else said.get(day, {})
            said[day] = {**before, **{id_: (value, gone and self.delete == "gone") for id_, value, gone in rows}}
        current: dict[int, tuple[Value, int]] = {}
        for day in sorted(said):
            for id_ in list(current):
                value, gone = said[day].get(id_, (current[id_][0], self.delete == "missing"))
                if gone or value != current[id_][0]:
                    yield (id_, current[id_][0], current[id_][1], day)
                    del current[id_]
            for id_, (value, gone) in said[day].items():
                if id_ not in current and not gone:
                    current[id_] = (value, day)
        yield from ((id_, value, day, None) for id_, (value, day) in current.items())


class Loads(RuleBasedStateMachine):
    """Loads random rows of random days into a table for each target."""

    def __init__(self, loading: Loading) -> None:
        super().__init__()
        self.loading = loading
        self.models = {name: Model(target) for name, target in TARGETS.items()}
        self.run = 0
        loading.warehouse.clear()

    @rule(
        name=st.sampled_from(list(TARGETS)),
        day=st.integers(1, 4),
        rows=ROWS,
        grows=st.sampled_from([False] * 3 + [True]),
    )
    def load(self, name: str, day: int, rows: dict[int, tuple[Value, bool]], *, grows: bool) -> None:
        """Load a day, in any order, any number of times; once a column has come, it stays."""
        model = self.models[name]
        wide = model.wide or grows
        listed = [(id_, (v, w if wide else None), gone) for id_, ((v, w), gone) in rows.items()]
        refused = model.refuses(day)
        if not refused:
            model.loads.append((day, listed))
            model.wide = wide
        assert self.is_refused(name, day, listed, wide=wide) is refused
        assert sorted(self.found(name), key=str) == sorted(model.rows(), key=str)

    def is_refused(self, name: str, day: int, rows: list[Row], *, wide: bool) -> bool:
        """Load, and tell whether that was refused."""
        self.run += 1
        today = MARCH + timedelta(days=day)
        columns = {
            "id": pa.array([id_ for id_, _, _ in rows], pa.int64()),
            "v": pa.array([v for _, (v, _), _ in rows], pa.string()),
        }
        if wide:
            columns["w"] = pa.array([w for _, (_, w), _ in rows], pa.string())
        if not name.startswith("history"):  # there each day would be a change
            columns["day"] = pa.array([today] * len(rows), pa.date32())
        if name.endswith("gone"):
            columns["gone"] = pa.array([gone for _, _, gone in rows], pa.bool_())
        target = {"table": name, **TARGETS[name]}
        try:
            self.loading.load(name, pa.table(columns), target, interval=day_of(today, "UTC"), run_id=f"{self.run}")
        except DataError:
            return True
        return False

    def found(self, name: str) -> list[tuple[Any, ...]]:
        """Give the table's rows as the model writes them."""
        if not self.loading.warehouse.sql("select to_regclass(%s)", f"mart.{name}")[0][0]:
            return []
        columns = "valid_from::date, valid_to::date" if name.startswith("history") else "day"
        query = f"select id, v, to_jsonb(t) ->> 'w', {columns} from mart.{name} t"  # noqa: S608 - a name of ours
        rows = self.loading.warehouse.sql(query)
        return [(id_, (v, w), *(day and (day - MARCH).days for day in days)) for id_, v, w, *days in rows]


def test_any_sequence_of_loads_leaves_what_the_model_says(loading: Loading) -> None:
    """Days come in any order, again, and with other rows; tables of all modes hold what they promise."""
    few = settings(
        max_examples=25,
        stateful_step_count=16,
        deadline=None,
        phases=[Phase.generate],  # a failing sequence is short enough to read, and shrinking would take minutes
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Loads(loading), settings=few)
