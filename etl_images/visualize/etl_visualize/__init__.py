"""Draws the report of a run.

    VisualizeTask ── each part's SQL ──► _warehouse: one read-only snapshot ──► _table: rows as JSON has them
                                                                                     │
                                        ┌── _figure: a number and its change ◄───────┤
    report folder ◄── _folder ◄── _page ┼── _listing: a table's rows as text ◄───────┤
                                        └── _drawing ◄── _chart, _encoding, _whole ◄─┘

One file, index.html, is the whole report: it needs no network, and no script runs in it but its own.
"""
