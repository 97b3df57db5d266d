"""Computes what PostgreSQL stores instead of a password, so that it never sees the password itself.

The form is that of https://www.postgresql.org/docs/17/catalog-pg-authid.html, the arithmetic that of RFC 5803.
"""

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode

# PostgreSQL's own default. More would slow every connection down, and protect nothing: a password is 256 random bits.
ITERATIONS = 4096
FORM = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Return the SCRAM-SHA-256 verifier of an ASCII password (SASLprep changes nothing in it)."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def matches(text: str, password: str) -> bool:
    """Tell whether this verifier is one of this password."""
    form = FORM.fullmatch(text)
    if form is None:
        return False
    again = verifier(password, salt=b64decode(form[2]), iterations=int(form[1]))
    return hmac.compare_digest(again, text)


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
