"""Certificates with whatever is wrong with them: chains, ends, and names that `trustme` does not make."""

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def issue(
    name: str,
    by: Issued | None = None,
    *,
    days: float = 400,
    authority: bool = False,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
    key: Any = None,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> Issued:
    """A certificate that ends in `days` days, signed by `by` or by itself."""
    made = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=900))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = [x509.IPAddress(ipaddress.ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return Issued(builder.sign(by.key if by else made, hashes.SHA256()), made)


def context(own: Issued, *chain: Issued, ciphers: str = "DEFAULT") -> ssl.SSLContext:
    """A server that shows `own` and sends `chain` along."""
    return context_of(b"".join(one.pem for one in (own, *chain)), own.key, ciphers)


def context_of(pem: bytes, key: Any, ciphers: str = "DEFAULT") -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(ciphers)
    plain = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + plain)
        file.flush()
        made.load_cert_chain(file.name)
    return made
