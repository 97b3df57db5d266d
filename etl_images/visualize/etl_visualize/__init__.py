"""Draws the report of a run.

    VisualizeTask ── each chart's SQL ──► _warehouse: one read-only snapshot ──► _table: rows as JSON has them
                                                                                     │
    report folder ◄── _folder ◄── _page: index.html, report.json ◄── _drawing ◄── _chart, _encoding: Vega-Lite

One file, index.html, is the whole report: it needs no network, and no script runs in it but its own.
"""
