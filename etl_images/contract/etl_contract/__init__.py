"""The contract between Airflow and the stages: what goes into a container, and what comes out of it.

    StageOperator ── StageTask, JSON in $ETL_TASK ──► stage(task) -> StageResult
                  ◄── log lines, and one marked line ──┘

A stage is a function of its task. `run` is all that its `__main__` needs: it reads the task, runs the function, turns
whatever happens into a StageResult and prints that as the last, marked line. `Conversation` is the wire's other end.
"""

from etl_contract._dataset import Dataset
from etl_contract._errors import DataError, NothingToDo, SpecError, StageError, Unavailable
from etl_contract._expect import Check, ColumnRules, Expect, Expectation, Freshness, OnBreach, RowRule, TableRules
from etl_contract._report import Chart, Visualize
from etl_contract._result import Fault, Load, Outcome, StageResult
from etl_contract._sources import Extract, Source, SqlSource
from etl_contract._stage import run
from etl_contract._state import TakenFile, Watermark
from etl_contract._targets import LoadMode, LoadTarget
from etl_contract._task import (
    ExtractTask,
    Interval,
    LoadTask,
    StageName,
    StageTask,
    TransformTask,
    VisualizeTask,
)
from etl_contract._transforms import PandasTransform, Transform
from etl_contract._wire import Conversation, LogLine, marked
from etl_contract._words import Name, TableName

__all__ = [
    "Chart",
    "Check",
    "ColumnRules",
    "Conversation",
    "DataError",
    "Dataset",
    "Expect",
    "Expectation",
    "Extract",
    "ExtractTask",
    "Fault",
    "Freshness",
    "Interval",
    "Load",
    "LoadMode",
    "LoadTarget",
    "LoadTask",
    "LogLine",
    "Name",
    "NothingToDo",
    "OnBreach",
    "Outcome",
    "PandasTransform",
    "RowRule",
    "Source",
    "SpecError",
    "SqlSource",
    "StageError",
    "StageName",
    "StageResult",
    "StageTask",
    "TableName",
    "TableRules",
    "TakenFile",
    "Transform",
    "TransformTask",
    "Unavailable",
    "Visualize",
    "VisualizeTask",
    "Watermark",
    "marked",
    "run",
]
