"""Writes what stages took beside their limits, for people and for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etl_platform._ending import EndState
from etl_platform._pipeline import Broken, Pipeline
from etl_platform._usage import Proposal, StageUsage, proposed, size_of

_HEADS = (
    ("", "", "", "memory", "", "", "", "seconds", "", "", "ended by", "", ""),
    (
        *("pipeline", "stage", "tries"),
        *("most", "p95", "limit", "of it"),
        *("usual", "most", "computing"),
        *("memory", "time", "else"),
    ),
)
_WORDS = 2  # columns that stand on the left; the others are numbers
Read = tuple[Pipeline | Broken, Sequence[StageUsage]]


def shown_usage(read: Sequence[Read]) -> str:
    """Write it for people: a row a stage, then what to write into which file, and why."""
    rows: list[Sequence[str]] = list(_HEADS)
    for item, usage in read:
        rows += [_row(item.name if use is usage[0] else "", use) for use in usage]
        if isinstance(item, Broken):
            rows.append((item.name, f"has problems: make check PIPELINE={item.name}"))
    proposals = {item.name: found for item, usage in read if (found := proposed(usage))}
    if proposals:
        closing = ["These limits leave a third above the most that was taken:", *_proposals(proposals)]
    elif any(use.tries for _, usage in read for use in usage):
        closing = ["Every limit leaves room, and none is far above what was taken."]
    else:
        closing = ["No stage has run yet."]
    return "\n".join([*_aligned(rows), "", *closing])


def plain_usage(read: Sequence[Read]) -> list[dict[str, Any]]:
    """Write it for programs: bytes, seconds, shares."""
    return [
        {
            "pipeline": item.name,
            "file": f"config/pipelines/{item.name}.yaml",
            "well": not isinstance(item, Broken),
            "stages": [_plain(use) for use in usage],
        }
        for item, usage in read
    ]


def _row(name: str, use: StageUsage) -> tuple[str, ...]:
    if not use.tries:
        return (name, use.stage.value, "0", "", "", use.limits.memory)
    ended = (
        use.ended(EndState.out_of_memory),
        use.ended(EndState.timed_out),
        use.ended(EndState.failed, EndState.killed),
    )
    return (
        name,
        use.stage.value,
        str(len(use.tries)),
        size_of(use.most) if use.most is not None else "?",
        size_of(use.usual) if use.usual is not None else "?",
        use.limits.memory,
        f"{use.share:.0%}" if use.share is not None else "?",
        f"{use.seconds:.1f}" if use.seconds is not None else "?",
        f"{use.longest:.1f}" if use.longest is not None else "?",
        f"{use.cpu_seconds:.1f}" if use.cpu_seconds is not None else "?",
        *(str(count) if count else "-" for count in ended),
    )


def _proposals(proposals: Mapping[str, Mapping[str, Mapping[str, Proposal]]]) -> Iterator[str]:
    for pipeline, stages in proposals.items():
        yield f"  config/pipelines/{pipeline}.yaml"
        limits = [
            f"{stage}: {{{', '.join(f'{field}: {each.value}' for field, each in fields.items())}}}"
            for stage, fields in stages.items()
        ]
        yield f"    limits: {{{', '.join(limits)}}}"
        for stage, fields in stages.items():
            yield from (f"      {stage} {each.reason}" for each in fields.values())


def _plain(use: StageUsage) -> dict[str, Any]:
    proposals = {name: each for name, each in (("memory", use.memory), ("minutes", use.minutes)) if each}
    return {
        "stage": use.stage.value,
        "limits": use.limits.model_dump() | {"memory_bytes": use.limits.memory_bytes},
        "tries": len(use.tries),
        "states": {state.value: count for state in EndState if (count := use.ended(state))},
        "peak_memory": {"max": use.most, "p95": use.usual, "share": use.share and round(use.share, 3)},
        "seconds": {"median": use.seconds, "max": use.longest},
        "cpu_seconds": {"median": use.cpu_seconds},
        "proposed": {name: each.value for name, each in proposals.items()},
        "reasons": {name: each.reason for name, each in proposals.items()},
    }


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows below each other, words to the left, numbers to the right; a row of two cells is a sentence."""
    whole = [row for row in rows if len(row) > _WORDS]
    widths = [max(len(row[number]) for row in whole if number < len(row)) for number in range(len(_HEADS[0]))]
    widths[0] = max(len(row[0]) for row in rows)
    return [
        "  ".join(
            f"{cell:<{width}}" if number < _WORDS else f"{cell:>{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in rows
    ]
