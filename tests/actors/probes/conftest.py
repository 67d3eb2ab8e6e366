"""Loopback is allowed unless a test asks for the guard."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import settings
from actors.probes import http_transfer, name_servers, resolver
from tests import dns_server
from tests.dns_server import DnsServer
from tests.waiting import until

from .names import Names
from .site import Site, running

Change = Callable[..., None]


@pytest.fixture(scope="session")
def _working_dns() -> Iterator[DnsServer]:
    with dns_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def our_dns(_working_dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    """The name server that probes take for the system's own when a name cannot be resolved. It works."""
    monkeypatch.setattr(name_servers, "servers", lambda: [_working_dns.address])
    monkeypatch.setattr(name_servers, "TIMEOUT_SECONDS", 0.5)
    name_servers.forget()
    yield _working_dns
    _working_dns.mode = "works"
    name_servers.forget()


@pytest.fixture(autouse=True)
def change_settings(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Call it with environment variables to replace the settings of this test."""

    def change(**environ: Any) -> None:
        changed = settings.parse({name: str(value) for name, value in environ.items()})
        monkeypatch.setattr(settings, "get", lambda: changed)

    change(ALLOW_INTERNAL_TARGETS="true")
    resolver.forget()
    return change


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as started:
        yield started


@pytest.fixture
def other_site() -> Iterator[Site]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Testing Authority")


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes trust the testing authority, and nothing else."""
    path = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setattr(http_transfer, "authorities", lambda: str(path))


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def names_of_the_world_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked up outside: every name but those of loopback is unknown."""
    true = socket.getaddrinfo

    def look_up(host: str | bytes | None, *args: object, **more: object) -> object:
        if host in {"127.0.0.1", "localhost"}:
            return true(host, *args, **more)  # type: ignore[arg-type]
        # What the true one raises for names that no resolver can be asked for, it raises here too.
        true(host, None, 0, 0, 0, socket.AI_NUMERICHOST) if _is_odd(host) else None
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _is_odd(host: object) -> bool:
    return isinstance(host, str) and (
        not host.isascii() or "\0" in host or any(len(one) > 63 for one in host.split("."))
    )


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    fake = Names()
    monkeypatch.setattr(socket, "getaddrinfo", fake.getaddrinfo)
    yield fake
    fake.over.set()
    # What was asked in one test must not be answered in the next.
    until(lambda: not resolver._running)
