"""Puts security headers on every answer of the api-server, and attributes on every cookie."""

import base64
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import airflow.providers.fab
from airflow.configuration import conf
from flask import Flask, Response, g, render_template_string
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

# Airflow's UI: scripts from here alone, with WebAssembly for its SQL highlighter; its components set styles as they go.
_COMMON = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'; script-src 'self' "
)
POLICY = _COMMON + "'wasm-unsafe-eval'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OPENER = "Cross-Origin-Opener-Policy"
Message = MutableMapping[str, Any]


class SecurityHeaders:
    """Middleware around all of the api-server; a page that says a header itself is left alone."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._by_tls = conf.get("api", "base_url", fallback="").startswith("https:")

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Pass a request on, and its answer back; one that was broken off by an error is an answer too."""
        begun = False

        async def harden(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                _harden(MutableHeaders(scope=message), by_tls=self._by_tls or scope["scheme"] == "https")
            await send(message)

        try:
            await self._app(scope, receive, harden)
        except Exception:
            if scope["type"] == "http" and not begun:
                await PlainTextResponse("Internal Server Error", 500)(scope, receive, harden)
            raise


def _harden(headers: MutableHeaders, *, by_tls: bool) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    # A browser shows no page that is shut in a sandbox, as reports are, where this stands too.
    if "sandbox" not in headers["Content-Security-Policy"]:
        headers.setdefault(_OPENER, "same-origin")
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", _kept_close(cookie, by_tls=by_tls))


def _kept_close(cookie: str, *, by_tls: bool) -> str:
    """Hide a cookie from scripts, from other sites, and with TLS from all that goes without."""
    given = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
    wanted = {"httponly": "HttpOnly", "samesite": "SameSite=Lax"} | ({"secure": "Secure"} if by_tls else {})
    return "; ".join([cookie, *(word for name, word in wanted.items() if name not in given)])


def protect_pages(app: Flask) -> None:
    """Let Flask-AppBuilder's pages run only scripts that they were written with, by a number that is used once."""

    def nonce() -> str:
        if "csp_nonce" not in g:
            g.csp_nonce = secrets.token_urlsafe(16)
        value: str = g.csp_nonce
        return value

    def policy(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = f"{_COMMON} 'nonce-{nonce()}' {inline}"
        return response

    inline = _inline_script(app)
    app.jinja_env.globals["csp_nonce"] = nonce
    app.after_request(policy)


def _inline_script(app: Flask) -> str:
    """Give the hash of the one script in Airflow's own template, which bears no such number."""
    template = Path(airflow.providers.fab.__path__[0], "www", "templates", "airflow", "main.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", template, re.DOTALL)
    with app.test_request_context():
        text = render_template_string(script)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
