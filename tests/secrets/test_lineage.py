"""Where events of lineage go, which only the notifier reads."""

import pytest

from etl_secrets import SecretsError, lineage
from tests.secrets.conftest import Place

ADDRESS = "https://user:a-password@marquez.example.org:5000/api/v1/lineage"


def test_there_is_a_folder_before_there_is_an_endpoint(place: Place) -> None:
    """The notifier mounts it from the first start on."""
    place.init()

    assert (place.secrets / "lineage").is_dir()
    assert place.owners[str(place.secrets / "lineage")] == 50000


def test_address_and_token_are_the_notifiers_and_are_replaced(place: Place) -> None:
    """They are kept without the line's end; another start leaves them."""
    place.init()
    for name, text in (("endpoint", "http://an.older.one"), ("endpoint", f"{ADDRESS}\n"), ("token", "a-token\n")):
        lineage(place.vault(place.chown), name, text)
    place.init()

    assert {name: place.texts()[f"lineage/{name}"] for name in ("endpoint", "token")} == {
        "endpoint": ADDRESS,
        "token": "a-token",
    }
    assert place.owners[str(place.secrets / "lineage" / "token")] == 50000


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("uri", ADDRESS, "'uri' is nothing that lineage has; write lineage/endpoint or lineage/token"),
        ("endpoint", "", "what was given is no address"),
        ("endpoint", "user:a-password@marquez", "what was given is no address"),
        ("endpoint", "ftp://user:a-password@marquez", "what was given is no address"),
        ("endpoint", f"{ADDRESS} {ADDRESS}", "what was given is no address"),
        ("endpoint", "http://marquez:a-password/", "what was given is no address"),
        ("token", "a-password of two words", "what was given is no token"),
        ("token", "\n", "what was given is no token"),
    ],
)
def test_what_cannot_be_is_told_without_the_secret(place: Place, name: str, text: str, problem: str) -> None:
    """Nothing is written."""
    place.init()
    before = place.texts()

    with pytest.raises(SecretsError) as told:
        lineage(place.vault(place.chown), name, text)

    assert problem in str(told.value)
    assert "a-password" not in str(told.value)
    assert place.texts() == before
