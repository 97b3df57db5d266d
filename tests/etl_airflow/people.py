"""Logs people in as their browsers do, and programs as they do."""

import re
import secrets
import ssl
from typing import NamedTuple

import httpx

from tests.etl_reports.site import Site

TOO_MANY = httpx.codes.TOO_MANY_REQUESTS
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without a list of authorities, which takes its time to load


class Person(NamedTuple):
    """An account of a test's own."""

    name: str
    password: str


def new_person(site: Site, role: str = "Viewer") -> Person:
    """Make an account."""
    person = Person(f"p-{secrets.token_hex(4)}", secrets.token_urlsafe(12))
    body = {
        "username": person.name,
        "password": person.password,
        "email": f"{person.name}@example.org",
        "first_name": "A",
        "last_name": "Person",
        "roles": [{"name": role}],
    }
    with site.client() as admin:
        admin.post("/auth/fab/v1/users", json=body).raise_for_status()
    return person


def anyone(site: Site, address: str = "127.0.0.1", **headers: str) -> httpx.Client:
    """Give a client that comes from an address, and opens a connection a request: any of the workers may take it."""
    transport = httpx.HTTPTransport(
        verify=_NO_TLS, local_address=address, limits=httpx.Limits(max_keepalive_connections=0)
    )
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Client(base_url=site.address, transport=transport, timeout=60, headers=sent)


def by_token(client: httpx.Client, name: object, password: object, way: str = "/auth/token") -> httpx.Response:
    """Ask for a token."""
    return client.post(way, json={"username": name, "password": password})


def by_cli_token(client: httpx.Client, name: object, password: object) -> httpx.Response:
    """Ask for a token for the command line."""
    return by_token(client, name, password, "/auth/token/cli")


def by_form(client: httpx.Client, name: str, password: str) -> httpx.Response:
    """Fill in the form; the right password leads away from it."""
    client.cookies.clear()
    body = {"username": name, "password": password, "csrf_token": csrf_token(client)}
    return client.post("/auth/login/", data=body)


def csrf_token(client: httpx.Client, form: str = "/auth/login/") -> str:
    """Give the number that a form must bring back."""
    page = client.get(form).raise_for_status()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text[:2000]
    return found[1]


def let_in(answer: httpx.Response) -> bool:
    """Tell whether an attempt succeeded, by the token that it brought."""
    return answer.status_code == httpx.codes.CREATED or "_token" in answer.cookies
