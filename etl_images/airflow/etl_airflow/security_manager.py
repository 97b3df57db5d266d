"""Checks passwords as Flask-AppBuilder does, within limits, and ends what an old password began."""

from typing import Any

from airflow import settings
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.providers.fab.auth_manager.models import User
from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from fastapi import HTTPException
from flask import current_app, has_request_context, request, session
from flask_appbuilder.api import BaseApi  # type: ignore[import-untyped]
from werkzeug.exceptions import TooManyRequests

from etl_airflow.auth_manager import password_mark
from etl_airflow.login_limit import Attempt, TooManyAttempts, account_of

MARK = "etl_password"


class NoApi(BaseApi):  # type: ignore[misc]  # it has no types
    """Stands where Flask-AppBuilder has a third way to log in, whose tokens nothing here takes."""

    resource_name = "security"


class SecurityManager(FabAirflowSecurityManagerOverride):
    """Airflow's own, with limits and an end to sessions."""

    security_api = NoApi

    def auth_user_db(self, username: Any, password: Any, rotate_session_id: bool = True) -> User | None:  # noqa: ANN401, FBT001, FBT002 - as the base class has it
        """Give the user whose password this is; every way to log in comes by here."""
        if not isinstance(username, str) or not isinstance(password, str):
            return None
        known = self.find_user(username=username) or self.find_user(email=username)
        account = known.username if known else account_of(username)
        try:
            attempt = Attempt.admit(settings.get_engine(), current_app.config["LOGIN_LIMITS"], account)  # type: ignore[no-untyped-call]
        except TooManyAttempts as refused:
            if has_request_context():
                raise TooManyRequests(str(refused), retry_after=refused.seconds) from None
            raise HTTPException(429, str(refused), {"Retry-After": str(refused.seconds)}) from None
        # Also the log is not told a name that there is not.
        user = super().auth_user_db(username if known else account, password, rotate_session_id)
        if user is not None:
            attempt.succeed()
        return user

    def on_user_login(self, user: User) -> None:
        """Let a session know the password that began it."""
        super().on_user_login(user)
        if has_request_context():
            session[MARK] = password_mark(user)

    def load_user(self, pk: int) -> User | None:
        """Give a session's user, as long as the password is the one that began it."""
        user = super().load_user(pk)
        return user if user and session.get(MARK) == password_mark(user) else None

    def on_user_logout(self, user: User) -> None:
        """End the token that the browser has, too."""
        super().on_user_logout(user)
        if token := request.cookies.get(COOKIE_NAME_JWT_TOKEN):
            get_auth_manager().revoke_token(token)
