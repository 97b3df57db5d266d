"""The certificates by which PostgreSQL is known."""

from datetime import UTC, datetime, timedelta

import pytest

from etl_secrets import certificate_of, forget, issued, lasts, new_authority, new_server, rotate
from tests.secrets.conftest import Place

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_server_is_its_authoritys_and_no_others() -> None:
    """Only the authority that signed it vouches for a server."""
    ours, another = new_authority(NOW), new_authority(NOW)
    server = new_server(ours, NOW)

    assert issued(server, ours)
    assert not issued(server, another)
    assert not issued(ours.replace("PRIVATE", "PUBLIC"), ours)
    assert not issued("nonsense", ours)


def test_a_pair_of_a_key_and_anothers_certificate_is_none() -> None:
    """A certificate with the key of another is made anew."""
    authority = new_authority(NOW)
    one, two = new_server(authority, NOW), new_server(authority, NOW)

    assert not issued(one.partition("-----BEGIN CERT")[0] + certificate_of(two), authority)


@pytest.mark.parametrize(("days", "good"), [(0, True), (600, True), (650, False), (900, False)])
def test_a_server_is_renewed_in_time(days: int, good: bool) -> None:  # noqa: FBT001 - a table
    """Half a year before its end, which a stack that is never restarted may need."""
    assert lasts(new_server(new_authority(NOW), NOW), now=NOW + timedelta(days=days)) is good


def test_what_expires_is_renewed_at_the_next_start(place: Place) -> None:
    """An old server's certificate is replaced; an old authority too, and with it what it signed."""
    place.init()
    authority = place.texts()["authority/pair.pem"]
    place.put("postgres_server/pair.pem", new_server(authority, datetime.now(UTC) - timedelta(days=700)))

    assert place.init().replaced == ["postgres_server/pair.pem"]

    old = new_authority(datetime.now(UTC) - timedelta(days=3600))
    place.put("authority/pair.pem", old)
    place.init()
    texts = place.texts()

    assert issued(texts["postgres_server/pair.pem"], texts["authority/pair.pem"])
    assert not issued(texts["postgres_server/pair.pem"], old)
    assert texts["stages/load/ca.pem"] == f"{certificate_of(texts['authority/pair.pem'])}\n{certificate_of(old)}"
    assert place.init().replaced == []


def test_two_authorities_are_believed_until_the_older_is_forgotten(place: Place) -> None:
    """While the server may still show the older certificate, nobody turns away; afterwards nobody believes it."""
    place.init()
    before = place.texts()["authority/pair.pem"]

    rotate(place.vault(place.chown), place.volumes, "authority")
    between = place.texts()
    forget(place.vault(place.chown), place.volumes, "authority")
    after = place.texts()

    now = certificate_of(after["authority/pair.pem"])
    readers = [path for path in after if path.endswith("/ca.pem")]
    assert len(readers) == 7
    assert {between[path] for path in readers} == {f"{now}\n{certificate_of(before)}"}
    assert {after[path] for path in readers} == {now}
    assert issued(after["postgres_server/pair.pem"], after["authority/pair.pem"])
    assert "PRIVATE" not in between["authority/previous.pem"]


def test_the_authority_of_another_system_stays(place: Place) -> None:
    """Where a connection was pointed at another system, what it believes is its owner's."""
    place.init()
    place.put("connections/source/uri", "postgresql://reader:s3cret@erp.example:5432/orders")
    place.put("connections/source/ca.pem", "theirs")

    rotate(place.vault(place.chown), place.volumes, "authority")

    assert place.texts()["connections/source/ca.pem"] == "theirs"
    assert place.texts()["connections/warehouse/ca.pem"].count("BEGIN") == 2
