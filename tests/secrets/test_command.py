"""The command line of the secrets service."""

import pytest

import etl_secrets
from etl_secrets.__main__ import main
from tests.secrets.conftest import Place


def arguments(place: Place, *words: str) -> list[str]:
    """Return the words of a command on a place."""
    return ["--secrets", str(place.secrets), "--volumes", str(place.volumes), *words]


def test_show_prints_one_secret(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints the secret, and only it."""
    place.init()

    assert main(arguments(place, "show", "airflow/admin_password")) == 0
    assert capsys.readouterr().out == place.texts()["airflow/admin_password"] + "\n"


def test_show_says_when_there_is_nothing_yet(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """`show` before the first start says what to do."""
    assert main(arguments(place, "show", "airflow/admin_password")) == 1
    assert "airflow/admin_password: not there yet; start the platform once, or run `init`" in capsys.readouterr().err


def isort_style(name: str) -> tuple[bool, bool, str]:
    """Return the key by which ruff sorts: constants, classes, functions."""
    return not name.isupper(), name.islower(), name


def test_public_names_are_sorted() -> None:
    """`__all__` is sorted and true."""
    assert etl_secrets.__all__ == sorted(etl_secrets.__all__, key=isort_style)
    assert all(hasattr(etl_secrets, name) for name in etl_secrets.__all__)
