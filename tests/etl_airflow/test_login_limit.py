"""Nobody can try passwords for long, and nobody is locked out for long; on the form, and on each way to a token."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from etl_airflow.login_limit import Limit, account_of, place
from tests.etl_airflow.conftest import PROXY
from tests.etl_airflow.people import TOO_MANY, anyone, by_cli_token, by_form, by_token, let_in, new_person
from tests.etl_reports.site import Site

FREE = 5
SPRAYED = 30
WAYS = [by_form, by_token, by_cli_token]
Way = Callable[[httpx.Client, str, str], httpx.Response]
_hosts = count(20)


@pytest.fixture
def here() -> str:
    """Give an address that no other test comes from."""
    return f"127.0.1.{next(_hosts)}"


@pytest.fixture
def stranger(door: Site, here: str) -> Iterator[httpx.Client]:
    """Give one who comes from there."""
    with anyone(door, here) as client:
        yield client


@pytest.mark.integration
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_after_five_wrong_passwords_one_must_wait(door: Site, stranger: httpx.Client, way: Way) -> None:
    """Then not even the right one is looked at; when the wait is over, it is."""
    person, other = new_person(door), new_person(door)
    wrong = [way(stranger, person.name, f"wrong-{number}") for number in range(FREE)]
    refused = way(stranger, person.name, "wrong-6")
    right = way(stranger, person.name, person.password)
    wait = int(right.headers["retry-after"])

    assert [let_in(answer) for answer in wrong] == [False] * FREE
    assert TOO_MANY not in {answer.status_code for answer in wrong}
    assert (refused.status_code, right.status_code) == (TOO_MANY, TOO_MANY)
    assert 1 <= wait <= 5
    assert f"Too many attempts to log in. Wait {wait} s, then try again." in right.text
    assert let_in(way(stranger, other.name, other.password)), "another account is not hindered"
    time.sleep(wait)
    assert let_in(way(stranger, person.name, person.password))


@pytest.mark.integration
def test_the_ways_are_counted_together(door: Site, stranger: httpx.Client) -> None:
    """Whichever worker answers, and however the account is named."""
    person = new_person(door)
    names = [person.name, person.name.upper(), f"{person.name}@example.org"]
    for number in range(FREE):
        WAYS[number % 3](stranger, names[number % 3], "wrong")

    assert {way(stranger, name, "wrong").status_code for way in WAYS for name in names} == {TOO_MANY}


@pytest.mark.integration
def test_many_at_once_are_no_way_around(door: Site, here: str) -> None:
    """An attempt is counted before its password is looked at."""
    person = new_person(door)

    def attempt(number: int) -> int:
        with anyone(door, here) as client:
            return by_token(client, person.name, f"wrong-{number}").status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(40)))

    assert sorted(answers) == [httpx.codes.UNAUTHORIZED] * FREE + [TOO_MANY] * (40 - FREE)


@pytest.mark.integration
def test_the_owner_comes_in_from_elsewhere(door: Site, stranger: httpx.Client) -> None:
    """While somebody tries passwords, and also where everybody shares an address and the owner's turn comes."""
    person = new_person(door)
    for _ in range(FREE + 1):
        by_token(stranger, person.name, "wrong")

    assert by_token(stranger, person.name, person.password).status_code == TOO_MANY
    with anyone(door, "127.0.1.9") as owner:
        assert let_in(by_token(owner, person.name, person.password))


@pytest.mark.integration
def test_who_knocks_on_does_not_make_the_wait_longer(door: Site, stranger: httpx.Client) -> None:
    """What is refused is not counted."""
    person = new_person(door)
    for _ in range(FREE):
        by_token(stranger, person.name, "wrong")
    waits = [int(by_token(stranger, person.name, "wrong").headers["retry-after"]) for _ in range(20)]

    assert waits == sorted(waits, reverse=True)
    assert waits[0] <= 5


@pytest.mark.integration
def test_each_further_failure_doubles_the_wait(door: Site, stranger: httpx.Client) -> None:
    """And a success forgets it all."""
    person = new_person(door)
    for _ in range(FREE):
        by_token(stranger, person.name, "wrong")
    time.sleep(int(by_token(stranger, person.name, "wrong").headers["retry-after"]))
    by_token(stranger, person.name, "wrong")
    longer = int(by_token(stranger, person.name, "wrong").headers["retry-after"])
    time.sleep(longer)

    assert 6 <= longer <= 10
    assert let_in(by_token(stranger, person.name, person.password))
    again = [by_token(stranger, person.name, "wrong").status_code for _ in range(FREE)]
    assert again == [httpx.codes.UNAUTHORIZED] * FREE


@pytest.mark.integration
def test_trying_one_password_on_many_accounts_is_limited(door: Site, stranger: httpx.Client) -> None:
    """By the address; who usually logs in from there still does, and elsewhere nobody notices."""
    usual, new = new_person(door), new_person(door)
    assert let_in(by_token(stranger, usual.name, usual.password))
    tried = [by_token(stranger, f"nobody-{number}", "123456").status_code for number in range(SPRAYED + 1)]

    assert tried == [httpx.codes.UNAUTHORIZED] * SPRAYED + [TOO_MANY]
    assert by_token(stranger, new.name, new.password).status_code == TOO_MANY
    assert let_in(by_token(stranger, usual.name, usual.password))
    with anyone(door, "127.0.1.8") as elsewhere:
        assert let_in(by_token(elsewhere, new.name, new.password))


@pytest.mark.integration
def test_who_is_refused_leaves_nothing_behind(door: Site, stranger: httpx.Client, here: str) -> None:
    """Endless names from an address that must wait do not grow the table of attempts."""
    for number in range(SPRAYED):
        by_token(stranger, f"{here}-{number}", "123456")
    names = [f"{here}-more-{number}" for number in range(5)]
    before = door.ask("select count(*) from etl_logins where address = %s", here)
    answers = {by_token(stranger, name, "123456").status_code for name in names}

    assert answers == {TOO_MANY}
    assert door.ask("select count(*) from etl_logins where address = %s", here) == before == SPRAYED + 1
    accounts = [account_of(name) for name in names]
    assert door.ask("select count(*) from etl_logins where account = any(%s)", accounts) == 0


@pytest.mark.integration
def test_what_is_long_ago_is_forgotten(door: Site, stranger: httpx.Client) -> None:
    """By any attempt, also by one that fails; where somebody logged in this month stays known."""
    old, usual = account_of("old"), account_of("usual")
    for account, succeeded in ((old, 0.0), (usual, time.time() - 86_400)):
        door.sql("insert into etl_logins values (%s, 'there', 3, 0, 0, %s)", account, succeeded)
    by_token(stranger, "nobody-now", "123456")

    assert door.ask("select count(*) from etl_logins where account = %s", old) == 0
    assert door.ask("select count(*) from etl_logins where account = %s", usual) == 1


@pytest.mark.integration
def test_an_address_is_what_the_proxy_says_and_not_what_anybody_says(door: Site, here: str) -> None:
    """A header of one's own is no other address; the proxy's is."""
    person, other = new_person(door), new_person(door)
    for number in range(FREE):
        with anyone(door, here, x_forwarded_for=f"203.0.113.{number}") as liar:
            by_token(liar, person.name, "wrong")
        with anyone(door, PROXY, x_forwarded_for="198.51.100.1") as guest:
            by_token(guest, other.name, "wrong")

    with anyone(door, here, x_forwarded_for="203.0.113.99") as liar:
        assert by_token(liar, person.name, person.password).status_code == TOO_MANY
    with anyone(door, PROXY, x_forwarded_for="198.51.100.1") as guest:
        assert by_token(guest, other.name, other.password).status_code == TOO_MANY
    with anyone(door, PROXY, x_forwarded_for="198.51.100.2") as owner:
        assert let_in(by_token(owner, other.name, other.password))


@pytest.mark.integration
def test_refusals_are_logged_without_what_was_typed(door: Site, stranger: httpx.Client, here: str) -> None:
    """The account and the address, neither the password nor a name that there is not: it may be a password."""
    person = new_person(door)
    for _ in range(FREE + 1):
        by_token(stranger, person.name, "a-secret-typo")
        by_token(stranger, "my-secret-password", "a-secret-typo")
    log = door.log.read_text()

    assert f"Refused an attempt to log in as {person.name} from {here} for" in log
    assert f"Refused an attempt to log in as {account_of('my-secret-password')} from {here} for" in log
    assert "a-secret-typo" not in log
    assert "my-secret-password" not in log


@pytest.mark.integration
@pytest.mark.parametrize("name", [["admin"], {"a": 1}, 7, True, "a\0b", "x" * 100_000, "'; drop table ab_user; --"])
def test_a_strange_name_is_nobodys(door: Site, stranger: httpx.Client, name: object) -> None:
    """Whatever its type and size."""
    assert by_token(stranger, name, "x").status_code == httpx.codes.UNAUTHORIZED
    assert by_token(stranger, "admin", {"a": name}).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.integration
def test_there_is_no_third_way(door: Site, stranger: httpx.Client) -> None:
    """Flask-AppBuilder's own is not there, nor does a password in a header log anybody in."""
    person = new_person(door)
    body = {"username": person.name, "password": person.password, "provider": "db"}

    assert stranger.post("/auth/api/v1/security/login", json=body).status_code == httpx.codes.NOT_FOUND
    assert stranger.get("/api/v2/dags", auth=person).status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (8, 40), (9, 60), (10, 60), (10_000, 60)]
)
def test_a_wait_doubles_up_to_the_longest(failures: int, seconds: float) -> None:
    """From the fifth failure on."""
    assert Limit(free=5, first=5, longest=60).wait(failures) == seconds


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", "nowhere"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_a_household(host: str, counted: str) -> None:
    """Of IPv6, everybody has billions."""
    assert place(host) == counted
