"""Visits the web UI of the running stack as the admin, at the address that people use."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from tests._browser import launched, log_in, opened, watched
from tests._stack import Stack


@contextmanager
def visiting(stack: Stack) -> Iterator[Page]:
    """Give a page of the admin; nothing in it may complain, or ask elsewhere."""
    port = stack.environment["AIRFLOW_PORT"]
    address = f"http://localhost:{port}"
    password = stack.compose("exec", "-T", "airflow-apiserver", "cat", "/run/secrets/admin_password").strip()
    host = stack.api.base_url.netloc.decode()
    with launched(f"--host-resolver-rules=MAP localhost:{port} {host}") as browser, opened(browser) as page:
        log_in(page, address, "admin", password)
        with watched(page, address):
            yield page


def origin(page: Page) -> str:
    """Give the address that a page's path comes after."""
    return "/".join(page.url.split("/")[:3])
