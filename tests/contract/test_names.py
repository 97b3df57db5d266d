"""The public names of the packages."""

import importlib

import pytest


@pytest.mark.parametrize("package", ["etl_contract", "etl_platform"])
def test_public_names_are_sorted_and_there(package: str) -> None:
    """`__all__` is the table of contents: sorted, whole, and nothing else."""
    module = importlib.import_module(package)

    assert module.__all__ == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
