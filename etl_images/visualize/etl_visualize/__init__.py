"""Draws the report of a run."""
