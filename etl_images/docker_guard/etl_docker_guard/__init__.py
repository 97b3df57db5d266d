"""Lets through to the Docker Engine what a stage needs, and nothing else."""
