"""Fills the demo's source system with the flights of 2013."""
