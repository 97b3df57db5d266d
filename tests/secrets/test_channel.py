"""The addresses of channels, which only the notifier reads."""

import io

import pytest

from etl_secrets import SecretsError, channel
from etl_secrets.__main__ import main
from tests.secrets.conftest import Place
from tests.secrets.test_command import arguments

ADDRESS = "mailtos://user:a-password@smtp.example.org?to=team@example.org"


def test_there_is_a_folder_before_there_is_a_channel(place: Place) -> None:
    """The notifier mounts it from the first start on."""
    place.init()

    assert (place.secrets / "alerts").is_dir()
    assert place.owners[str(place.secrets / "alerts")] == 50000


def test_an_address_is_the_notifiers_and_is_replaced(place: Place) -> None:
    """It is kept without the line's end; another start leaves it."""
    place.init()
    channel(place.vault(place.chown), "mail", "json://an.older.one")
    channel(place.vault(place.chown), "mail", f"{ADDRESS}\n")
    place.init()

    assert place.texts()["alerts/mail"] == ADDRESS
    assert place.owners[str(place.secrets / "alerts" / "mail")] == 50000


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("Mail", ADDRESS, "'Mail' is no name of a channel"),
        ("../x", ADDRESS, "'../x' is no name of a channel"),
        ("mail", "", "what was given is no address"),
        ("mail", "a-password@smtp.example.org", "what was given is no address"),
        ("mail", f"{ADDRESS} {ADDRESS}", "what was given is no address"),
    ],
)
def test_what_cannot_be_is_told_without_the_address(place: Place, name: str, text: str, problem: str) -> None:
    """Nothing is written."""
    place.init()
    before = place.texts()

    with pytest.raises(SecretsError) as told:
        channel(place.vault(place.chown), name, text)

    assert problem in str(told.value)
    assert "a-password" not in str(told.value)
    assert place.texts() == before


def test_the_command_takes_it_from_standard_input(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it says has the name alone."""
    monkeypatch.setattr("sys.stdin", io.StringIO(ADDRESS))
    place.init()
    (place.secrets / "alerts").chmod(0o700)
    code = main(arguments(place, "channel", "Mail"))

    said = capsys.readouterr()
    assert code == 1
    assert "'Mail' is no name of a channel" in said.err
    assert "a-password" not in said.out + said.err
