"""Names what can go wrong between Airflow and the Engine.

    GuardError
    ├── Refused            the call is not one that a stage needs: 403
    ├── AnotherImage       a name means another image than before: 409, since `make up` may be about to say so
    ├── EngineAnswer       the Engine itself says no: its own status and words
    ├── EngineUnreachable  the Engine does not answer: 502
    └── Misconfigured      the guard cannot start; a person must edit

Anything else is a bug: the client gets 500, and the log its traceback.
"""


class GuardError(Exception):
    """An end of a call other than the Engine's answer."""


class Refused(GuardError):
    """The call, or a part of it, is not allowed; the message says which part."""


class AnotherImage(GuardError):
    """A name of the policy means another image than when the platform was started."""


class EngineAnswer(GuardError):
    """The Engine answers with an error, such as 404 for a container that is gone."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class EngineUnreachable(GuardError):
    """The Engine's socket is not there, refuses, or says nothing in time."""


class Misconfigured(GuardError):
    """The guard's own surroundings are wrong; it does not start."""
