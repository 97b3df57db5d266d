"""Who logs out, has a new password or is put out, is out; cookies stay with the browser, nothing lives for long."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.etl_airflow.conftest import PROXY
from tests.etl_airflow.people import Person, anyone, by_form, by_token, csrf_token, let_in, new_person
from tests.etl_reports.site import Site

pytestmark = pytest.mark.integration

REFUSED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
CACHED = 5  # seconds: [fab] cache_ttl
HOUR = 3600
EXPIRED = """
from airflow.api_fastapi.auth.tokens import JWTGenerator, get_signing_args
signing = get_signing_args(make_secret_key_if_needed=False)
generator = JWTGenerator(**signing, valid_for={seconds}, audience="{audience}")
print("TOKEN" + generator.generate({claims!r}))
"""


@pytest.fixture
def person(door: Site) -> Person:
    """Give an account of the test's own."""
    return new_person(door)


@pytest.fixture
def browser(door: Site, person: Person) -> Iterator[httpx.Client]:
    """Give the browser of one who has logged in."""
    with anyone(door) as client:
        assert let_in(by_form(client, *person))
        yield client


def _copy(site: Site, client: httpx.Client, name: str) -> httpx.Client:
    """Give a thief's browser, who has one of the cookies."""
    thief = anyone(site)
    thief.cookies.set(name, client.cookies[name], domain="127.0.0.1")
    return thief


def _knows(client: httpx.Client) -> bool:
    """Tell whether a client may see the pipelines."""
    return client.get("/api/v2/dags").status_code == httpx.codes.OK


def _gets_a_token(client: httpx.Client) -> bool:
    """Tell whether a browser's session is good for a token, as the UI asks for one when the last has expired."""
    return "_token" in client.get("/auth/login/").cookies


def _claims(token: str) -> dict[str, int]:
    body = token.split(".")[1]
    claims: dict[str, int] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _bearer(site: Site, token: str) -> httpx.Client:
    return anyone(site, authorization=f"Bearer {token}")


def test_logging_out_ends_session_and_token(door: Site, browser: httpx.Client) -> None:
    """Also in the hands of one who has copied the cookies."""
    with _copy(door, browser, "session") as session, _copy(door, browser, "_token") as token:
        assert _knows(browser)
        assert _knows(token)
        assert _gets_a_token(session)
        browser.get("/api/v2/auth/logout", follow_redirects=True)

        assert not _knows(browser)
        assert not _knows(token)
        assert not _gets_a_token(session)
        assert "_token" not in browser.cookies


def test_the_other_address_to_log_out_ends_the_same(door: Site, browser: httpx.Client) -> None:
    """Flask-AppBuilder's."""
    with _copy(door, browser, "session") as session, _copy(door, browser, "_token") as token:
        browser.get("/auth/logout", follow_redirects=True)

        assert not _knows(token)
        assert not _gets_a_token(session)


def test_a_program_can_give_its_token_back(door: Site, person: Person) -> None:
    """By the same address."""
    with anyone(door) as client:
        token = by_token(client, *person).json()["access_token"]
    with _bearer(door, token) as program:
        assert _knows(program)
        program.get("/api/v2/auth/logout")

        assert not _knows(program)


def test_a_changed_password_ends_sessions_and_tokens(door: Site, person: Person, browser: httpx.Client) -> None:
    """Within the seconds for which the server remembers a user; the new password is good at once."""
    with anyone(door) as client:
        token = by_token(client, *person).json()["access_token"]
    with _bearer(door, token) as program, _copy(door, browser, "session") as session, anyone(door) as new:
        assert _knows(program)
        with door.client() as admin:
            admin.patch(f"/auth/fab/v1/users/{person.name}", json={"password": "another-password"}).raise_for_status()
        fresh = by_token(new, person.name, "another-password").json()["access_token"]
        with _bearer(door, fresh) as owner:
            assert {_knows(owner) for _ in range(8)} == {True}
        assert not _gets_a_token(session)
        time.sleep(CACHED + 1)

        assert not _knows(program)
        assert not _knows(browser)
        assert not let_in(by_token(new, *person))


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
def test_who_is_put_out_is_out(door: Site, person: Person, browser: httpx.Client, how: str) -> None:
    """Sessions, tokens and passwords, within the same seconds."""
    with anyone(door) as client:
        token = by_token(client, *person).json()["access_token"]
    with _bearer(door, token) as program:
        assert _knows(program)
        if how == "deleted":
            with door.client() as admin:
                admin.delete(f"/auth/fab/v1/users/{person.name}").raise_for_status()
        else:
            door.sql("update ab_user set active = false where username = %s", person.name)
        time.sleep(CACHED + 1)

        assert not _knows(program)
        assert not _knows(browser)
        assert not _gets_a_token(browser)
        with anyone(door) as client:
            assert not let_in(by_token(client, *person))


def test_a_role_that_was_taken_away_is_gone(door: Site) -> None:
    """Within the same seconds."""
    person = new_person(door, "Op")
    with anyone(door) as client:
        token = by_token(client, *person).json()["access_token"]
    with _bearer(door, token) as program, door.client() as admin:
        assert program.get("/api/v2/connections").status_code == httpx.codes.OK
        admin.patch(f"/auth/fab/v1/users/{person.name}", json={"roles": [{"name": "Viewer"}]}).raise_for_status()
        time.sleep(CACHED + 1)

        assert program.get("/api/v2/connections").status_code == httpx.codes.FORBIDDEN


def test_nothing_lives_for_long(door: Site, person: Person) -> None:
    """A token an hour; a session an hour without use, and no token of it outlives the working day."""
    with anyone(door) as client:
        tokens = [by_token(client, *person, way).json()["access_token"] for way in ("/auth/token", "/auth/token/cli")]
        cookies = _cookies(by_form(client, *person))
    tokens.append(cookies["_token"].partition(";")[0].partition("=")[2])
    expires = parsedate_to_datetime(cookies["session"].partition("Expires=")[2].partition(";")[0])

    assert [_claims(token)["exp"] - _claims(token)["iat"] for token in tokens] == [HOUR] * 3
    assert abs((expires - datetime.now(UTC)).total_seconds() - HOUR) < 60
    assert "expires" not in cookies["_token"].lower(), "it ends with the browser"


def test_a_session_ends_with_the_day(door: Site, browser: httpx.Client) -> None:
    """Twelve hours after the login, however busy its browser was."""
    assert _gets_a_token(browser)
    door.python(SET_BACK, SESSION=browser.cookies["session"].partition(".")[0], SECONDS=str(12 * HOUR + 1))

    assert not _gets_a_token(browser)


SET_BACK = """
import os
import msgspec, psycopg
from airflow.providers.fab.www.extensions.init_session import SESSION_LOGIN_TIME_KEY
uri = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
with psycopg.connect(uri) as connection:
    (data,) = connection.execute("select data from session where session_id = %s", (os.environ["SESSION"],)).fetchone()
    values = msgspec.msgpack.decode(data)
    values[SESSION_LOGIN_TIME_KEY] -= int(os.environ["SECONDS"])
    packed = msgspec.msgpack.encode(values)
    connection.execute("update session set data = %s where session_id = %s", (packed, os.environ["SESSION"]))
"""


@pytest.mark.parametrize(
    ("seconds", "audience", "claims"),
    [
        (-60, "apache-airflow", {"sub": "1"}),
        (60, "apache-airflow", {"sub": "1"}),
        (60, "apache-airflow", {"sub": "1", "etl_password": ""}),
        (60, "urn:airflow.apache.org:task", {"sub": "1"}),
        (60, "apache-airflow", {}),
        (60, "apache-airflow", {"sub": "99999"}),
        (60, "apache-airflow", {"sub": "one"}),
    ],
    ids=["expired", "of-no-password", "of-another-password", "a-tasks", "nobodys", "an-unknown-users", "no-number"],
)
def test_a_token_that_is_not_right_is_refused(door: Site, seconds: int, audience: str, claims: dict[str, str]) -> None:
    """Although it is signed with the right key."""
    made = door.python(EXPIRED.format(seconds=seconds, audience=audience, claims=claims))
    with _bearer(door, made.partition("TOKEN")[2].strip()) as program:
        assert program.get("/api/v2/dags").status_code in REFUSED


def test_a_forged_token_is_refused(door: Site, person: Person) -> None:
    """Unsigned, or changed in one letter."""
    with anyone(door) as client:
        header, body, signature = by_token(client, *person).json()["access_token"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    other = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    for forged in (f"{none}.{body}.", f"{header}.{body}.", f"{header}.{body}.{other}", "x", "a.b.c"):
        with _bearer(door, forged) as program:
            assert program.get("/api/v2/dags").status_code in REFUSED


def _cookies(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_stay_with_the_browser(door: Site, person: Person, scheme: str) -> None:
    """No script reads them, no other site sends them, and once TLS is used nothing goes without."""
    with anyone(door, PROXY, x_forwarded_proto=scheme, x_forwarded_for="198.51.100.50") as client:
        page = client.get("/auth/login/")
        # As a browser sends them, to which the proxy speaks TLS.
        client.headers["Cookie"] = page.headers["set-cookie"].partition(";")[0]
        client.headers["Referer"] = f"{door.address.replace('http:', f'{scheme}:')}/auth/login/"
        body = {"username": person.name, "password": person.password, "csrf_token": csrf_token(client)}
        cookies = _cookies(client.post("/auth/login/", data=body))
        client.headers["Cookie"] = "; ".join(cookie.partition(";")[0] for cookie in cookies.values())
        gone = _cookies(client.get("/auth/logout/"))

    assert set(cookies) == {"session", "_token"}
    for cookie in [*cookies.values(), *gone.values()]:
        words = {word.strip().lower() for word in cookie.split(";")}
        assert {"httponly", "samesite=lax", "path=/"} <= words
        assert ("secure" in words) == (scheme == "https")
