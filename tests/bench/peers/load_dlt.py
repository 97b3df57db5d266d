"""Loads a Parquet file by dlt; how: append, merge by a primary key, or partition by a merge key."""

import os
import shutil
import sys

uri, table, source, mode, *key = sys.argv[1:]
work = f"{source}.dlt"
shutil.rmtree(work, ignore_errors=True)
os.environ |= {"HOME": "/tmp", "DLT_DATA_DIR": work, "RUNTIME__DLTHUB_TELEMETRY": "false"}  # noqa: S108
os.environ |= {"DESTINATION__POSTGRES__CREDENTIALS": uri}

import dlt  # noqa: E402 - it reads the environment
import pyarrow.parquet as pq  # noqa: E402

schema, _, name = table.partition(".")


def rows():  # noqa: ANN201 - batches
    """Give the file's batches."""
    yield from pq.ParquetFile(source).iter_batches(batch_size=65_536)


pipeline = dlt.pipeline("bench", destination="postgres", dataset_name=schema)
how = {
    "append": {"write_disposition": "append"},
    "merge": {"write_disposition": "merge", "primary_key": key},
    "partition": {"write_disposition": "merge", "merge_key": key},  # deletes what has such a key, and inserts
}[mode]
pipeline.run(dlt.resource(rows, name=name, **how), loader_file_format="csv").raise_on_failed_jobs()
