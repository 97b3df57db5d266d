"""Says what came of rules, as OpenLineage has it."""

from collections.abc import Iterable
from typing import NamedTuple

from openlineage.client.generated.data_quality_assertions_dataset import Assertion, DataQualityAssertionsDatasetFacet

from etl_contract import Check, Expect, OnBreach

_KINDS = {"nullable": "not_null", "matches": "matches", "type": "type", "unique": "unique"}
_SEVERE = {OnBreach.fail: "error"}


class _Rule(NamedTuple):
    kind: str
    column: str


def assertions(dataset: str, checks: Iterable[Check], expect: Expect) -> DataQualityAssertionsDatasetFacet | None:
    """Give what came of each rule of a dataset, or nothing where it has none; of a column, with its name."""
    rules = _rules(dataset, expect)
    made = [_assertion(check, rules.get(check.rule)) for check in checks if check.dataset == dataset]
    return DataQualityAssertionsDatasetFacet(assertions=made) if made else None


def _assertion(check: Check, rule: _Rule | None) -> Assertion:
    return Assertion(
        assertion=rule.kind if rule else "table" if check.whole else "row",
        success=check.breaches == 0,
        column=rule.column if rule else None,
        severity=_SEVERE.get(check.on_breach, "warn"),
        name=check.rule,
        actual=None if check.whole else f"{check.breaches} of {check.rows} rows",
    )


def _rules(dataset: str, expect: Expect) -> dict[str, _Rule]:
    """Give the rules about columns, as they are called in checks."""
    expectation = expect.get(dataset)
    if expectation is None:
        return {}
    return {
        f"{column} {words}": _Rule(_KINDS.get(kind, kind), column)
        for column, rules in expectation.columns.items()
        for kind, words in rules.words()
    }
