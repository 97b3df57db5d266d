"""Web sources over TLS: whose certificate is believed."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from etl_contract import SpecError
from tests.extract.reading import Extracting
from tests.extract.server import WebServer


@pytest.fixture
def certificate(web: WebServer, tmp_path: Path) -> str:
    """Let the server speak TLS with a certificate of its own for `localhost`; give that."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    web.socket = context.wrap_socket(web.socket, server_side=True)
    web.serve("/o.csv", "id\n1\n")
    return pem.decode()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    web: WebServer, extracting: Extracting, certificate: str
) -> None:
    """It is told, with the remedy, and not tried again."""
    assert certificate
    with pytest.raises(SpecError, match=r"its certificate is not trusted.*put ca\.pem into a connection"):
        extracting.read(http=f"https://localhost:{web.server_address[1]}/o.csv")

    assert web.requests == []


def test_a_connection_may_vouch_for_a_certificate(web: WebServer, extracting: Extracting, certificate: str) -> None:
    """For the host that it names, and no other."""
    port = web.server_address[1]
    extracting.connection("own", uri=f"https://localhost:{port}", ca_pem=certificate)

    assert extracting.read(http=f"https://localhost:{port}/o.csv", connection="own").rows == [{"id": "1"}]
    with pytest.raises(SpecError, match="its certificate is not trusted"):
        extracting.read(http=f"https://127.0.0.1:{port}/o.csv", connection="own")
