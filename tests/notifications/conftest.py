"""What the channels' tests share: loopback allowed (or not), and a service to send to."""

import dataclasses
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import settings
from notifications import dial
from notifications.smtp import Receipts
from tests.notifications.service import Service

Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Sets the process's settings; loopback targets are allowed unless said otherwise."""

    def use(**changes: Any) -> None:
        wanted = dataclasses.replace(settings.parse({}), **({"allow_internal_targets": True} | changes))
        monkeypatch.setattr(settings, "get", lambda: wanted)

    use()
    return use


@pytest.fixture(autouse=True)
def _no_mail_yet() -> Iterator[None]:
    """All notices here have the same delivery id."""
    yield
    Receipts.forget_all()


@pytest.fixture
def service(configure: Configure) -> Iterator[Service]:
    with Service() as running:
        yield running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """Our test authority, trusted by this process."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    dial.tls_context.cache_clear()
    yield authority
    dial.tls_context.cache_clear()


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A server's TLS context with a certificate for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
