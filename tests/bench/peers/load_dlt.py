"""Loads a Parquet file by dlt; its third argument is the disposition: append or merge."""

import os
import shutil
import sys

uri, table, source, disposition, *key = sys.argv[1:]
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
how = {"write_disposition": disposition, "primary_key": key or None}
pipeline.run(dlt.resource(rows, name=name, **how), loader_file_format="csv").raise_on_failed_jobs()
