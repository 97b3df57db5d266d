"""The arithmetic of SCRAM-SHA-256."""

from base64 import b64decode

from etl_secrets import matches, verifier


def test_verifier_is_that_of_the_rfc() -> None:
    """The keys are those by which the exchange printed in RFC 7677 was made."""
    salt = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")

    assert verifier("pencil", salt=salt, iterations=4096) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_verifier_is_salted() -> None:
    """Two verifiers of one password differ, and both match it alone."""
    one, two = verifier("pencil"), verifier("pencil")

    assert one != two
    assert matches(one, "pencil")
    assert matches(two, "pencil")
    assert not matches(one, "pencils")
    assert not matches("pencil", "pencil")
