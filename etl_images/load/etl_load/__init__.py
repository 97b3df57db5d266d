"""Merges datasets into the warehouse, exactly.

    Dataset (Parquet) ── plan ──► Job ── COPY, binary ──► staging.T ── one transaction for all ──► mart.T, etl.loads

Each dataset is copied into an unlogged staging table; nothing else sees it there. Then one transaction takes the locks
of all targets, creates the tables that are missing, merges by mode, writes the ledger and drops the staging tables. So
a load that is killed anywhere leaves either nothing or everything, and loading again leaves the same rows:
docs/decisions/staging-then-merge.md.

Files for others, where the pipeline has `export`, are written before that and published after it: see `_export`.

A mode joins as one module with a `Mode`, and a line in `_modes.MODES`.
"""
