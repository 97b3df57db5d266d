"""Extends Airflow's FAB auth manager: tokens end with their password, a logout ends all, every answer is hardened."""

import hashlib
from typing import Any

from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from fastapi import FastAPI

from etl_airflow.headers import SecurityHeaders, protect_pages
from etl_airflow.login_limit import RememberClient

MARK = "etl_password"
# A logout that only deletes cookies (another ends the session, too), and pages whose scripts come from elsewhere.
CLOSED = {"/logout", "/docs", "/docs/oauth2-redirect", "/redoc"}


class HardenedFabAuthManager(FabAuthManager):
    """The auth manager; Airflow knows one of FAB's by `FabAuthManager` in its name."""

    def serialize_user(self, user: User) -> dict[str, Any]:
        """Let a token know the password that it was given for."""
        return {**super().serialize_user(user), MARK: password_mark(user)}

    def deserialize_user(self, token: dict[str, Any]) -> User:  # type: ignore[override]  # the base class caches it
        """Give a token's user, as long as the password is the one that it was given for.

        Raises:
            ValueError: there is no such user, it is not active, or its password was changed.
        """
        user = super().deserialize_user(token)
        if token.get(MARK) != password_mark(user):
            # The one in the cache may be older than the token.
            self.cache.pop(int(token["sub"]), None)
            user = super().deserialize_user(token)
        if token.get(MARK) != password_mark(user):
            raise ValueError(f"The password of user {token['sub']} was changed")
        return user

    def get_fastapi_middlewares(self) -> list[tuple[Any, dict[str, Any]]]:
        """Add ours to the whole of the api-server; the last is the outermost."""
        return [*super().get_fastapi_middlewares(), (RememberClient, {}), (SecurityHeaders, {})]

    def get_fastapi_app(self) -> FastAPI | None:
        """Give the pages and the API for users, without what is closed."""
        app = super().get_fastapi_app()
        if app is not None:
            app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") not in CLOSED]
        if self.flask_app is not None:
            protect_pages(self.flask_app)
        return app

    def get_url_logout(self) -> str:
        """Lead to Flask-AppBuilder's logout, which ends the session on the server."""
        return f"{super().get_url_logout()}/"


def password_mark(user: User) -> str:
    """Give what is another after each change of a password, and tells nothing about it."""
    return hashlib.sha256((user.password or "").encode()).hexdigest()[:16]
