"""Names what can be wrong with a scan itself.

    ScanError
    ├── Misconfigured    a person must edit config/scan.yaml
    └── Unanswered       what a check asks did not answer, so that nothing is known

Anything else that is raised is a bug: it keeps its traceback.
"""


class ScanError(Exception):
    """The scan could not do its work; the message says why, and what to do."""


class Misconfigured(ScanError):
    """config/scan.yaml cannot be taken as it is; holds every problem with its line."""


class Unanswered(ScanError):
    """A program, an image or a service did not give what a check needs."""
