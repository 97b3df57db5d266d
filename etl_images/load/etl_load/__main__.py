"""Runs the load stage: each dataset of the task goes into its table, all of them in one transaction."""

from etl_contract import LoadTask, StageResult, run
from etl_load._load import load_into
from etl_load._warehouse import warehouse_uri


def load(task: LoadTask) -> StageResult:
    """Load the task's datasets into the warehouse that the secret names."""
    return load_into(warehouse_uri(), task)


if __name__ == "__main__":
    run(load, LoadTask)
