"""The environment, typed and read once.

Every process builds one `Settings` at its start and does not look at the environment again. A wrong value stops the
start: `SettingsError` names the variable and says what to do.

Each setting stands once, in `Settings`: variable, parser, default and meaning. `ops/configuration.md` is written from it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from settings.checks import BUILT_IN_LOCATIONS, CheckSettings
from settings.servers import ServerSettings
from settings.setting import SettingsError, convert_all
from settings.upkeep import UpkeepSettings
from settings.values import (
    API_KEY,
    HOW_TO_MAKE_A_KEY,
    HOW_TO_MAKE_A_SECRET_KEY,
    LOCATION_CODE,
    MAX_LOCATIONS,
    MIN_ADMIN_PASSWORD_LENGTH,
    PROTOCOLS,
    TLS_VERSIONS,
    LocationSpec,
)

__all__ = [
    "API_KEY",
    "BUILT_IN_LOCATIONS",
    "HOW_TO_MAKE_A_KEY",
    "LOCATION_CODE",
    "MAX_LOCATIONS",
    "MAX_STREAMS",
    "MAX_STREAMS_A_CALLER",
    "MIN_ADMIN_PASSWORD_LENGTH",
    "PING_BODY_BYTES",
    "PING_PREFIX",
    "PING_THREADS",
    "PROTOCOLS",
    "RECEIVED_AT",
    "TLS_VERSIONS",
    "WEB_THREADS",
    "LocationSpec",
    "Settings",
    "SettingsError",
    "get",
    "parse",
    "require_servers",
    "variable_names",
]

#: Threads of a web process for pages and the API.
WEB_THREADS = 32
#: Threads for pings: while the database is down, each waits for the broker's disk.
PING_THREADS = 200
#: The path of pings, how much of their bodies is read, and the WSGI variable with the time when a request's head arrived.
PING_PREFIX = "/api/heartbeat/"
PING_BODY_BYTES = 1_000_000
RECEIVED_AT = "supercheck.received_at"
#: Live streams at once, each on a thread that takes no other work.
MAX_STREAMS = 512
#: Live streams of one API key or person, so that none can take them all.
MAX_STREAMS_A_CALLER = 256


@dataclass(frozen=True, kw_only=True)
class Settings(ServerSettings, CheckSettings, UpkeepSettings):
    """All settings. Times carry their unit in the name; an empty string means unset."""

    @property
    def default_location(self) -> str:
        """The code of the location where a round without `locationConfig` runs: the first one."""
        return self.locations[0].code

    @property
    def served_locations(self) -> tuple[str, ...]:
        """The codes whose queues a check worker of this process consumes."""
        if self.worker_location:
            return (self.worker_location,)
        return tuple(spec.code for spec in self.locations)

    @property
    def public_url(self) -> str:
        """Base of links in alerts and of heartbeat URLs, without a trailing slash."""
        return self.app_url or f"http://localhost:{self.port}"


def parse(environ: Mapping[str, str]) -> Settings:
    """Return `environ` as `Settings`; blank values count as unset.

    Raise `SettingsError` if a value is wrong or two settings contradict each other.
    """
    settings = Settings(**convert_all(fields(Settings), environ))
    _check_servers(settings)
    return settings


def _check_servers(settings: Settings) -> None:
    if bool(settings.database_url) != bool(settings.redis_url):
        missing = "REDIS_URL" if settings.database_url else "DATABASE_URL"
        raise SettingsError(
            f"{missing} is missing: set DATABASE_URL and REDIS_URL both, or neither for embedded servers."
        )


def require_servers(settings: Settings) -> None:
    """Raise `SettingsError` unless this process has its servers and its keys.

    `supercheck up` sets them for the processes that it starts; on real servers the operator sets them.
    """
    if not settings.database_url:
        raise SettingsError("DATABASE_URL and REDIS_URL are missing: set both, or start everything with: supercheck up")
    if not settings.secret_key:
        raise SettingsError("SECRET_KEY is missing: " + HOW_TO_MAKE_A_SECRET_KEY)
    if not settings.encryption_keys:
        raise SettingsError("CREDENTIAL_ENCRYPTION_KEY is missing: " + HOW_TO_MAKE_A_KEY)


@cache
def get() -> Settings:
    """Return the settings of this process, read at the first call. Raise `SettingsError`."""
    return parse(os.environ)


def variable_names() -> dict[str, str]:
    """Return environment variable -> field of `Settings`."""
    return {field.metadata["variable"]: field.name for field in fields(Settings)}
