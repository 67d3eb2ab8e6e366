"""The data directory of an installation: its lock, its keys, and the environment variables of its processes."""

import base64
import fcntl
import os
import secrets
from pathlib import Path

import settings
from ops.embedded import place, postgres_server, valkey_server
from ops.problem import Problem
from settings import Settings

LOCK = "lock"
ENCRYPTION_KEY = "credential_encryption_key"


def open_directory(path: Path) -> Path:
    """Return `path` as an absolute path; create the directory if it is missing. Raise `Problem` if it is not writable."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Problem(
            f"The data directory {path} cannot be written ({error.strerror}): fix its permissions,"
            " or choose another with SUPERCHECK_DATA_DIR."
        ) from None
    if any(mark in str(path) for mark in (" ;", " #", "\n", '"')):
        raise Problem(
            f"The data directory {path!r} has an unsupported name: choose one without ; # and quotation marks."
        )
    return path


def lock(directory: Path) -> None:
    """Lock `directory` until this process ends, also across `exec`. Raise `Problem` if another process holds the lock.

    The kernel releases the lock when the process ends, also after a crash.
    """
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
        raise Problem(
            f"The data directory {directory} is in use by process {holder}: stop that first,"
            " or choose another with SUPERCHECK_DATA_DIR."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    os.set_inheritable(descriptor, True)


def new_encryption_key() -> str:
    """Return a new key in the format of CREDENTIAL_ENCRYPTION_KEY."""
    return base64.b64encode(secrets.token_bytes(16)).decode()


def embedded_environment(directory: Path) -> dict[str, str]:
    """Return the servers and keys of an installation with embedded servers. The first call creates the keys.

    Raise `FileNotFoundError` if the servers were never prepared.
    """
    return {
        "DATABASE_URL": postgres_server.kept_url(directory / "postgres"),
        "REDIS_URL": valkey_server.kept_url(directory / "valkey"),
        "SECRET_KEY": place.kept_secret(directory / "secret_key"),
        "CREDENTIAL_ENCRYPTION_KEY": place.kept_secret(directory / ENCRYPTION_KEY, new_encryption_key),
    }


def complete(environment: dict[str, str], found: dict[str, str]) -> None:
    """Set the variables of `found` that are unset in `environment`; the operator's values take precedence."""
    for name, value in found.items():
        if not environment.get(name, "").strip():
            environment[name] = value


def enter_with_database() -> Settings:
    """Like `enter`, for a command that needs the database. Raise `Problem` if the database does not respond."""
    import psycopg  # here, because the supervisor's start does not need it

    config = enter()
    try:
        psycopg.connect(config.database_url, connect_timeout=5).close()
    except psycopg.OperationalError:
        raise Problem("PostgreSQL does not respond: start Supercheck first, or correct DATABASE_URL.") from None
    return config


def enter() -> Settings:
    """Return the settings of the installation that this command works on, including its servers and keys.

    With embedded servers, the servers and keys are read from the data directory. Raise `SettingsError` if one is missing
    or wrong.
    """
    config = settings.get()
    if not config.database_url:
        try:
            complete(os.environ, embedded_environment(config.data_dir.absolute()))  # type: ignore[arg-type]
        except FileNotFoundError:
            settings.require_servers(config)
        except PermissionError as error:
            raise Problem(
                f"{error.filename} cannot be read: run this command as the user who runs Supercheck."
            ) from None
        settings.get.cache_clear()
        config = settings.get()
    settings.require_servers(config)
    return config
