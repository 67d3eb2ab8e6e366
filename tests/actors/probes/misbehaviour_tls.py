"""Bad servers that are asked over TLS and do it badly."""

import socket
import ssl
import struct
import warnings
from datetime import UTC, datetime, timedelta

import trustme

from .conftest import server_context
from .site import Handler


def contexts(authority: trustme.CA) -> dict[str, ssl.SSLContext]:
    now = datetime.now(UTC)
    good = authority.issue_cert("127.0.0.1", "localhost")
    made = {
        "good": server_context(good),
        "expired": server_context(authority.issue_cert("127.0.0.1", not_after=now - timedelta(days=1))),
        "soon": server_context(authority.issue_cert("127.0.0.1", not_after=now + timedelta(days=2, hours=1))),
        "early": server_context(authority.issue_cert("127.0.0.1", not_before=now + timedelta(days=1))),
        "wrong_host": server_context(authority.issue_cert("other.example")),
        "untrusted": server_context(trustme.CA().issue_cert("127.0.0.1")),
        "old_tls": server_context(good),
        "wants_our_certificate": server_context(good),
    }
    self_signed = trustme.CA()
    made["self_signed"] = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with self_signed.cert_pem.tempfile() as path, self_signed.private_key_pem.tempfile() as key:
        context.load_cert_chain(path, key)
    made["old_tls"].set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python warns of old versions for good reason: here they are the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        made["old_tls"].minimum_version = ssl.TLSVersion.TLSv1
        made["old_tls"].maximum_version = ssl.TLSVersion.TLSv1_1
    made["wants_our_certificate"].verify_mode = ssl.CERT_REQUIRED
    made["wants_our_certificate"].maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def off_key() -> dict[str, Handler]:
    """What answers on a port where TLS is expected."""
    return {
        "plain_on_tls": lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "garbage_on_tls": lambda connection: connection.sendall(b"\x00\xff" * 64),
        "reset_on_tls": reset,
        "close_on_tls": lambda connection: None,
        "alert_on_tls": lambda connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"),
    }


def reset(connection: socket.socket, first: bytes = b"") -> None:
    """Close with a reset; the bytes sent before may or may not arrive."""
    if first:
        connection.sendall(first)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
