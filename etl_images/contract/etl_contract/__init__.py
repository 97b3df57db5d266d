"""The contract between Airflow and the stages: what goes into a container, and what comes out of it.

    StageOperator ── StageTask, JSON in $ETL_TASK ──► stage(task) -> StageResult
                  ◄── log lines, and one marked line ──┘

A stage is a function of its task. `run` is all that its `__main__` needs: it reads the task, runs the function, turns
whatever happens into a StageResult and prints that as the last, marked line. `Conversation` is the wire's other end.
"""

from etl_contract._columns import ColumnType, Declared, declared
from etl_contract._dataset import Dataset
from etl_contract._documents import DocumentSource, Format, format_of
from etl_contract._errors import DataError, NothingToDo, SpecError, StageError, Unavailable, refuse
from etl_contract._expect import (
    Check,
    ColumnRules,
    Expect,
    Expectation,
    Freshness,
    OnBreach,
    RowRule,
    TableRules,
    beyond,
    is_tolerated,
)
from etl_contract._exports import Export, ExportFormat, Exports, ExportTarget, exports_of
from etl_contract._files import FilesSource
from etl_contract._merge_order import merge_order
from etl_contract._parameters import Parameter, ParameterType, Value, parameter_values
from etl_contract._report import Chart, Figure, ReportTable, Visualize
from etl_contract._result import Fault, Load, Outcome, StageResult
from etl_contract._sources import Extract, Source, SqlSource
from etl_contract._stage import run
from etl_contract._state import TakenFile, Watermark
from etl_contract._summary import Headline, ReportSummary
from etl_contract._targets import LoadMode, LoadTarget, SchemaChange
from etl_contract._task import (
    ExtractTask,
    Interval,
    LoadTask,
    StageName,
    StageTask,
    TransformTask,
    VisualizeTask,
)
from etl_contract._transforms import PandasTransform, SqlTransform, Step, Transform, steps_of
from etl_contract._usage import StageUse
from etl_contract._web import HttpSource, Paging
from etl_contract._wire import Conversation, LogLine, marked
from etl_contract._words import Name, TableName, by_shape

__all__ = [
    "Chart",
    "Check",
    "ColumnRules",
    "ColumnType",
    "Conversation",
    "DataError",
    "Dataset",
    "Declared",
    "DocumentSource",
    "Expect",
    "Expectation",
    "Export",
    "ExportFormat",
    "ExportTarget",
    "Exports",
    "Extract",
    "ExtractTask",
    "Fault",
    "Figure",
    "FilesSource",
    "Format",
    "Freshness",
    "Headline",
    "HttpSource",
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
    "Paging",
    "PandasTransform",
    "Parameter",
    "ParameterType",
    "ReportSummary",
    "ReportTable",
    "RowRule",
    "SchemaChange",
    "Source",
    "SpecError",
    "SqlSource",
    "SqlTransform",
    "StageError",
    "StageName",
    "StageResult",
    "StageTask",
    "StageUse",
    "Step",
    "TableName",
    "TableRules",
    "TakenFile",
    "Transform",
    "TransformTask",
    "Unavailable",
    "Value",
    "Visualize",
    "VisualizeTask",
    "Watermark",
    "beyond",
    "by_shape",
    "declared",
    "exports_of",
    "format_of",
    "is_tolerated",
    "marked",
    "merge_order",
    "parameter_values",
    "refuse",
    "run",
    "steps_of",
]
