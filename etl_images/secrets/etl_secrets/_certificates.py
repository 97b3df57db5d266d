"""Makes the certificates by which PostgreSQL is known: an authority of this installation's own, and what it signs.

A pair is one text, the key and its certificate: so the two are always of each other, whenever they are read.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# By these names the server is called: by stages and Airflow, and by people through the published port.
NAMES: Final = ("postgres", "localhost")
ADDRESSES: Final = ("127.0.0.1",)
AUTHORITY_LASTS: Final = timedelta(days=3650)
SERVER_LASTS: Final = timedelta(days=825)
# Renewed at the first start within this time of its end: a stack may well run for half a year.
RENEWED_BEFORE: Final = timedelta(days=180)


def new_authority(now: datetime | None = None) -> str:
    """Return the key and certificate of a new authority."""
    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    # A number in its name: two authorities, of which one follows the other, are told apart by it.
    serial = x509.random_serial_number()
    name = _name(f"ETL platform authority {serial:040x}"[:64])
    builder = _builder(name, name, key, now, AUTHORITY_LASTS).serial_number(serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return _pair(key, builder.sign(key, hashes.SHA256()))


def new_server(authority: str, now: datetime | None = None) -> str:
    """Return the key and certificate of PostgreSQL, signed by an authority."""
    now = now or datetime.now(UTC)
    signer, issuer = _key(authority), _certificate(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [*map(x509.DNSName, NAMES), *(x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES)]
    builder = _builder(_name(NAMES[0]), issuer.subject, key, now, SERVER_LASTS)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return _pair(key, builder.sign(signer, hashes.SHA256()))


def certificate_of(pair: str) -> str:
    """Return the certificate of a pair, which is for everybody."""
    return _certificate(pair).public_bytes(serialization.Encoding.PEM).decode("ascii").strip()


def lasts(pair: str | None, spare: timedelta = RENEWED_BEFORE, now: datetime | None = None) -> bool:
    """Tell whether this can be read, and is good for some more time."""
    try:
        return pair is not None and _certificate(pair).not_valid_after_utc - spare > (now or datetime.now(UTC))
    except ValueError:
        return False


def issued(pair: str, authority: str) -> bool:
    """Tell whether a server's certificate is this authority's, and of its own key."""
    try:
        certificate = _certificate(pair)
        certificate.verify_directly_issued_by(_certificate(authority))
        return certificate.public_key() == _key(pair).public_key()
    except (ValueError, TypeError, InvalidSignature):
        return False


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lasting: timedelta
) -> x509.CertificateBuilder:
    begin = now - timedelta(hours=1)  # for a clock that is a little behind
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.not_valid_before(begin).not_valid_after(now + lasting)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pair(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> str:
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode("ascii").strip()


def _certificate(pair: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.encode("utf-8"))


def _key(pair: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pair.encode("utf-8"), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("no key of ours")
    return key
