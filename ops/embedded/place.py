"""The port and the password of an embedded server, which are created once and stored beside its data."""

import os
import random
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST_PORT = 15_000


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, with mode 0600 from the start."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def new_password() -> str:
    """Return a random password that needs no escaping in a URL or a configuration file."""
    return secrets.token_urlsafe(24)


def kept_secret(path: Path, make: Callable[[], str] = new_password) -> str:
    """Return the secret in the file `path`; the first call creates it."""
    if not path.exists():
        write_private(path, make() + "\n")
    return path.read_text().strip()


def kept_port(path: Path) -> int:
    """Return the port in the file `path`; choose another one at the first call, or if another program uses it now."""
    if path.exists() and path.read_text().strip().isdigit():
        port = int(path.read_text())
        if is_free(port):
            return port
    port = free_port()
    write_private(path, f"{port}\n")
    return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a free port on loopback, if possible below the kernel's range of ephemeral ports.

    A check worker opens thousands of connections, and one of them could take an ephemeral port while the server restarts.
    """
    highest = _first_ephemeral_port() - 1
    for _ in range(200):
        port = random.randint(LOWEST_PORT, highest) if highest > LOWEST_PORT else 0  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _first_ephemeral_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
