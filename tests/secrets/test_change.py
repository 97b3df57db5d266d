"""Secrets that are changed: rotated, a person's own, connections."""

import io
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet

from etl_secrets import FILES, SecretsError, connect, connections, disconnect, forget, matches, rotate, set_value
from etl_secrets.__main__ import main
from etl_secrets._table import AUTHORITIES
from tests.secrets.conftest import Place
from tests.secrets.test_command import arguments
from tests.secrets.test_init import LAYOUT, password, test_every_form_of_a_value_agrees

ROLES = ("airflow", "source_owner", "extract", "load", "recorder", "report", "analyst")
KEYS = ("admin_password", "jwt_secret", "api_secret_key")


def files_of(name: str) -> set[str]:
    """Name the files in which a value stands."""
    return {file.path for file in FILES if file.value == name and file.form != AUTHORITIES}


@pytest.mark.parametrize("name", [*ROLES, *KEYS, "fernet_key", "tls"])
def test_a_rotation_changes_all_files_of_one_secret_and_no_other(place: Place, name: str) -> None:
    """Every form of the value is another, and agrees; nothing else is touched."""
    place.init()
    before = place.texts()

    outcome = rotate(place.vault(place.chown), place.volumes, name)

    after = place.texts()
    assert {path for path in after if after[path] != before[path]} == files_of(name) == set(outcome.replaced)
    assert set(after) == set(LAYOUT)
    test_every_form_of_a_value_agrees(place)


@pytest.mark.parametrize("killed_at", range(8))
def test_a_killed_rotation_is_completed_by_the_next_start(place: Place, killed_at: int) -> None:
    """Wherever it was killed, the next start makes every form agree, on the old value or the new."""
    place.init()
    countdown = iter(range(killed_at))

    def chown(path: Path, user: int, group: int) -> None:
        # What has its owner already is not given again.
        if ".unfinished-" in path.name and next(countdown, None) is None:
            raise KeyboardInterrupt
        place.chown(path, user, group)

    with suppress(KeyboardInterrupt):
        rotate(place.vault(chown), place.volumes, "extract")
    place.init()

    assert set(place.texts()) == set(LAYOUT)
    test_every_form_of_a_value_agrees(place)


def test_what_was_encrypted_can_be_read_throughout(place: Place) -> None:
    """Between rotation and forgetting, Airflow has both keys; a rotation that was broken off goes on with its key."""
    place.init()
    saved = Fernet(place.texts()["airflow/fernet_key"]).encrypt(b"a connection")

    rotate(place.vault(place.chown), place.volumes, "fernet_key")
    both = place.texts()["airflow/fernet_key"]
    rotate(place.vault(place.chown), place.volumes, "fernet_key")
    keys = MultiFernet([Fernet(key) for key in both.split(",")])
    saved = keys.rotate(saved)
    forget(place.vault(place.chown), place.volumes, "fernet_key")

    assert place.texts()["airflow/fernet_key"] == both.split(",")[0]
    assert Fernet(place.texts()["airflow/fernet_key"]).decrypt(saved) == b"a connection"


def test_a_value_of_ones_own_comes_by_standard_input(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in every file of the secret, and in nothing that is printed."""
    place.init()
    monkeypatch.setattr("sys.stdin", io.StringIO("my-own_password-2026\n"))
    monkeypatch.setattr("etl_secrets.__main__.Vault", lambda _: place.vault(place.chown))

    assert main(arguments(place, "set", "extract")) == 0

    texts = place.texts()
    assert password(texts["connections/source/uri"]) == "my-own_password-2026"
    assert password(texts["connections/warehouse/uri"]) == "my-own_password-2026"
    assert matches(texts["postgres/extract.scram"], "my-own_password-2026")
    assert "my-own" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("load", "2short4u", "load: is shorter than 12 characters"),
        ("load", "with@at/and:colon", "load: stands in addresses: use letters, digits, - and _ only"),
        ("admin_password", "Gänsefüßchen-99", "admin_password: has white space, or letters that are not of ASCII"),
        ("analyst", "two words of mine", "analyst: has white space, or letters that are not of ASCII"),
        ("fernet_key", "not-a-key-of-fernet", "fernet_key: is no Fernet key: 32 bytes in base64 with - and _"),
    ],
)
def test_a_value_that_would_not_do_is_refused(place: Place, name: str, value: str, problem: str) -> None:
    """What is wrong is told without the value, and nothing is changed."""
    place.init()
    before = place.texts()

    with pytest.raises(SecretsError) as caught:
        set_value(place.vault(place.chown), place.volumes, name, value)

    assert problem in str(caught.value)
    assert value not in str(caught.value)
    assert place.texts() == before


def test_a_connection_is_the_stages_own(place: Place) -> None:
    """A new connection is a folder of the stages' user, with one file for each thing."""
    place.init()
    vault = place.vault(place.chown)

    connect(vault, "shop", "uri", "https://api.example.org\n")
    connect(vault, "shop", "token", "t0ken")

    assert place.texts()["connections/shop/uri"] == "https://api.example.org"
    assert place.owners[str(place.secrets / "connections/shop")] == 10001
    assert place.owners[str(place.secrets / "connections/shop/token")] == 10001
    assert connections(vault) == {"shop": ["token", "uri"], "source": ["ca.pem", "uri"], "warehouse": ["ca.pem", "uri"]}
    assert (place.init().created, place.init().replaced) == ([], [])


def test_a_connection_is_deleted_field_by_field_or_whole(place: Place) -> None:
    """What is deleted is gone, the rest stays, and the next start brings nothing back."""
    place.init()
    before = place.texts()
    vault = place.vault(place.chown)
    for file, text in (("uri", "https://api.example.org"), ("token", "t0ken"), ("params", "key=s3cret")):
        connect(vault, "shop", file, text)

    assert disconnect(vault, "shop", "token") == ["token"]
    assert connections(vault)["shop"] == ["params", "uri"]
    assert disconnect(vault, "shop") == ["params", "uri"]
    assert not (place.secrets / "connections" / "shop").exists()
    place.init()
    assert place.texts() == before


@pytest.mark.parametrize(
    ("name", "file", "problem"),
    [
        ("source", None, "source: is the platform's own connection, which stays"),
        ("warehouse", "uri", "warehouse: is the platform's own connection, which stays"),
        ("shup", None, "there is no connection 'shup' to delete; there are shop, source, warehouse"),
        ("../stages", None, "there is no connection '../stages' to delete"),
        ("shop", "token", "shop: has no token; it has uri"),
    ],
)
def test_what_cannot_be_deleted_is_told(place: Place, name: str, file: str | None, problem: str) -> None:
    """The platform's own connections stay, and what is not there is named with what is."""
    place.init()
    connect(place.vault(place.chown), "shop", "uri", "https://api.example.org")
    before = place.texts()

    with pytest.raises(SecretsError) as caught:
        disconnect(place.vault(place.chown), name, file)

    assert problem in str(caught.value)
    assert place.texts() == before


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("Shop", "https://api.example.org", "'Shop' is no name of a connection"),
        ("../stages", "https://api.example.org", "'../stages' is no name of a connection"),
        ("shop", " \n", "shop: nothing was given"),
        ("shop", "s3cret", "shop: what was given is no URI"),
        ("shop", "postgresql://u:s3cret@[host/db", "shop: the URI cannot be read"),
    ],
)
def test_what_is_no_connection_is_refused(place: Place, name: str, text: str, problem: str) -> None:
    """A name that no pipeline could write, and what is no URI, are refused without showing it."""
    place.init()
    before = place.texts()

    with pytest.raises(SecretsError) as caught:
        connect(place.vault(place.chown), name, "uri", text)

    assert problem in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert place.texts() == before


@pytest.mark.parametrize("change", [rotate, forget])
def test_nothing_is_changed_before_the_first_start(place: Place, change: object) -> None:
    """Where there is nothing yet, one is told to start."""
    assert callable(change)
    with pytest.raises(SecretsError, match="there are no secrets yet; start the platform once"):
        change(place.vault(place.chown), place.volumes, "authority")

    assert place.texts() == {}
