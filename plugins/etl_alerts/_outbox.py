"""Carries what happened from the scheduler to the notifier: a file each, which appears whole or not at all."""

import os
import time
import uuid
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from etl_contract import Check, Interval

OUTBOX = Path(os.environ.get("ETL_OUTBOX", "/outbox"))

log = structlog.get_logger()


class Kind(StrEnum):
    """What may happen to a run."""

    failed = "failed"
    succeeded = "succeeded"
    late = "late"


class Happening(BaseModel):
    """What happened to a run, with all that words about it need.

    Args:
        kind: what it was.
        at: when it was; of a late run, its deadline.
        pipeline: whose run it is.
        run_id: Airflow's id of it.
        interval: what it is about, where that is known.
        stage: where it failed, or where a run that succeeded had nothing to do; empty, where it went through.
        problem: why it failed.
        checks: what they found; None, where nothing was loaded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    at: AwareDatetime
    pipeline: str
    run_id: str
    interval: Interval | None = None
    stage: str = ""
    problem: str = ""
    checks: tuple[Check, ...] | None = None


def put(happening: Happening, outbox: Path) -> bool:
    """Leave it for the notifier; tell whether there is one that may find it."""
    folder = outbox / "happened"
    if not folder.is_dir():
        return False
    leave(happening, folder)
    return True


def leave(left: BaseModel, folder: Path) -> None:
    """Leave a file in a folder of the outbox; by their names, files are in the order in which they were left."""
    write(folder / f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}.json", left.model_dump_json())


def happened(outbox: Path) -> Iterator[tuple[Path, Happening]]:
    """Give what was left, in its order."""
    for file in sorted((outbox / "happened").glob("*.json")):
        happening = read(file, outbox, Happening, "What happened is told to nobody.")
        if happening is not None:
            yield file, happening


def read[Left: BaseModel](file: Path, outbox: Path, model: type[Left], loss: str) -> Left | None:
    """Read a file of the outbox; one that cannot be read is put aside and told, so that the others go on.

    Args:
        file: which one.
        outbox: where it is.
        model: what it should be.
        loss: what is missing without it.
    """
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        aside = file.with_suffix(".unreadable")
        file.rename(aside)
        name, kept = file.relative_to(outbox), aside.relative_to(outbox)
        # Not the values: what a stage said when it failed may quote rows.
        problem = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors())
        hint = f"{loss} To see what is in it: docker compose exec notifier cat {OUTBOX / kept}"
        log.error(f"{name} cannot be read, and is put aside as {kept}: {problem}. {hint}")  # noqa: TRY400 - as above
        return None


def write(file: Path, text: str) -> None:
    """Write a file, so that whoever looks sees all of it or nothing, also after the power was cut."""
    unfinished = file.with_name(f".{file.name}-{uuid.uuid4().hex[:8]}")
    with unfinished.open("w", encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    unfinished.rename(file)
