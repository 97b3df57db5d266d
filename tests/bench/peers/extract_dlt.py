"""Reads a table by dlt into Parquet files; the backend is its third argument: sqlalchemy, pyarrow or connectorx."""

import os
import sys

uri, table, out, backend = sys.argv[1:]
os.environ |= {"HOME": "/tmp", "DLT_DATA_DIR": f"{out}.dlt", "RUNTIME__DLTHUB_TELEMETRY": "false"}  # noqa: S108
os.environ |= {"DESTINATION__FILESYSTEM__BUCKET_URL": f"file://{out}"}

import dlt  # noqa: E402 - it reads the environment
from dlt.sources.sql_database import sql_table  # noqa: E402

schema, _, name = table.partition(".")
resource = sql_table(
    credentials=uri.replace("postgresql://", "postgresql+psycopg2://"),
    schema=schema,
    table=name,
    backend=backend,
    chunk_size=65_536,
    backend_kwargs={"return_type": "arrow_stream"} if backend == "connectorx" else None,
)
pipeline = dlt.pipeline("bench", destination="filesystem", dataset_name="bench")
pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()
