"""Runs a stage: its task in, its result out, whatever happens between."""

import gc
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

import structlog

from etl_contract._errors import StageError
from etl_contract._log import configure_logging
from etl_contract._received import received
from etl_contract._result import Fault, Outcome, StageResult
from etl_contract._task import StageTask
from etl_contract._wire import marked

# What `docker inspect` and Airflow show of a stage that did not do its work.
EXIT_CODES = {Outcome.done: 0, Outcome.skipped: 0, Outcome.failed: 1, Outcome.retry: 75}  # 75 is sysexits' EX_TEMPFAIL


def run[Task: StageTask](stage: Callable[[Task], StageResult], task_model: type[Task]) -> NoReturn:
    """Run a stage as a process: read $ETL_TASK and $ETL_NONCE, print the marked result, exit.

    Both variables leave the environment before the stage runs, so that an author's code does not meet them by chance.
    """
    gc.freeze()  # what was imported stays: to look for garbage in it takes a tenth of a short stage's time
    signal.signal(signal.SIGTERM, _stop)
    configure_logging()
    nonce = os.environ.pop("ETL_NONCE", "")
    started = time.monotonic()
    result = _outcome_of(stage, task_model, os.environ.pop("ETL_TASK", ""))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = result.model_copy(
        update={
            "seconds": round(time.monotonic() - started, 3),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_memory": usage.ru_maxrss * 1024,  # Linux counts in KiB
            "bytes_in": result.bytes_in + received(),
        }
    )
    sys.stderr.flush()
    print(marked(result, nonce), flush=True)  # noqa: T201 - this line is the stage's answer
    sys.exit(EXIT_CODES[result.outcome])


def _outcome_of[Task: StageTask](
    stage: Callable[[Task], StageResult], task_model: type[Task], text: str
) -> StageResult:
    log = structlog.get_logger()
    try:
        task = task_model.model_validate_json(text)
        result = stage(task)
        return result.model_copy(update={"bytes_in": result.bytes_in + task.bytes_read})
    except StageError as error:
        outcome = Outcome(error.outcome)
        log.log(30 if outcome is not Outcome.failed else 40, str(error))
        return StageResult(outcome=outcome, fault=Fault.of(error))
    except MemoryError:
        hint = "Give the stage more memory under 'limits', or read less at once."
        return StageResult(outcome=Outcome.failed, fault=Fault(kind="MemoryError", problem="out of memory", hint=hint))
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug keeps its traceback and is reported
        traceback.print_exc()
        problem = f"{type(error).__name__}: {error}"
        return StageResult(outcome=Outcome.failed, fault=Fault(kind="Bug", problem=problem))


def _stop(_signal: int, _frame: object) -> NoReturn:
    """End at once: what is half written was written under a temporary name, or in a transaction."""
    raise SystemExit(128 + signal.SIGTERM)
