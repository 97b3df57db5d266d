"""Merges datasets into the warehouse, exactly.

    Dataset (Parquet) ── plan ──► Job ──┬── COPY ──► staging.T ──┐
                                        └────── COPY ──────────────┴── one transaction for all ──► mart.T, etl.loads

What must be compared with the table's rows is copied into an unlogged staging table first; nothing else sees it there.
Then one transaction takes the locks of all targets, makes or changes their tables, merges by mode, or copies straight
into the table, writes the ledger and drops the staging tables. So a load that is killed anywhere leaves either nothing
or everything, and loading again leaves the same rows: docs/decisions/staging-then-merge.md.

Files for others, where the pipeline has `export`, are written before that and published after it: see `_export`.

A mode joins as one module with a `Mode`, and a line in `_modes.MODES`.
"""
