"""The environment, typed and read once.

Every process builds one `Settings` at its start and never looks at the environment again.
A wrong value refuses to start: `SettingsError` names the variable and says how to mend it.
Names, defaults and meanings are those of the configuration reference (ops/configuration.md).
"""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

LOCATION_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
API_KEY = re.compile(r"[A-Za-z0-9_-]{32,128}")
HOW_TO_MAKE_A_KEY = "make one with: python3 -c 'import base64, os; print(base64.b64encode(os.urandom(16)).decode())'"


#: What HTTP checks may speak; an operator may narrow it.
PROTOCOLS = ("http", "https")
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
#: Threads of a web process for pages and the API.
WEB_THREADS = 32
#: Threads of their own for pings: while the database is away each waits for the disk of the broker.
PING_THREADS = 200
#: Where pings come in, how much of their bodies is read, and the WSGI variable that says when a request's head was there.
PING_PREFIX = "/api/heartbeat/"
PING_BODY_BYTES = 1_000_000
RECEIVED_AT = "supercheck.received_at"
#: Live streams at once, each on a thread that takes no other work.
MAX_STREAMS = 512
#: Of one API key or person: nobody can take them all.
MAX_STREAMS_A_CALLER = 256


class SettingsError(Exception):
    """One environment variable is wrong; the text names it and says what to do."""


class LocationSpec(NamedTuple):
    """A place checks run from: `code` is its queue's suffix, `name` is what people read."""

    code: str
    name: str


BUILT_IN_LOCATIONS = (
    LocationSpec("us-east", "Ashburn"),
    LocationSpec("eu-central", "Falkenstein"),
    LocationSpec("asia-pacific", "Singapore"),
)


def _secret() -> Any:
    """A field whose value never shows in `repr`."""
    return field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Times carry their unit in the name; empty text means unset."""

    # Our own servers. The URLs carry passwords.
    database_url: str = _secret()
    redis_url: str = _secret()
    data_dir: Path = Path("var")
    # The web process.
    host: str = "0.0.0.0"  # noqa: S104 - a PaaS routes to every interface; embedded start narrows it
    port: int = 8000
    trusted_proxies: int = 0
    app_url: str = ""
    metrics_token: str = _secret()
    api_rate_limit_per_minute: int = 6000
    # Keys.
    secret_key: str = _secret()
    encryption_keys: tuple[bytes, ...] = field(default=(), repr=False)
    # The first start.
    admin_email: str = ""
    admin_password: str = _secret()
    api_key: str = _secret()
    # Processes.
    process: str = ""
    worker_location: str = ""
    multi_location_distributed: bool = True
    locations: tuple[LocationSpec, ...] = BUILT_IN_LOCATIONS
    parallel_threads: int = 8
    disable_monitor_scheduler: bool = False
    disable_job_scheduler: bool = False
    # Checks and their limits.
    min_check_interval_seconds: int = 60
    allow_internal_targets: bool = False
    allowed_internal_targets: tuple[str, ...] = ()
    max_response_size_mb: int = 10
    max_concurrent_connections: int = 2000
    max_connections_per_host: int = 500
    allowed_protocols: tuple[str, ...] = PROTOCOLS
    min_tls_version: str = "1.2"
    dns_cache_seconds: int = 30
    max_string_length: int = 10_000
    max_request_body_length: int = 262_144
    max_memory_usage_mb: int = 1024
    max_execution_time_ms: int = 300_000
    # Alerts.
    storm_threshold: int = 10
    fallback_after_minutes: int = 15
    # Retention.
    cleanup_enabled: bool = True
    cleanup_cron: str = "0 2 * * *"
    retention_days: int = 30
    cleanup_batch_size: int = 1000
    preserve_status_changes: bool = True
    cleanup_safety_limit: int = 1_000_000
    # Outside services of the operator's own.
    s3_endpoint: str = ""
    s3_access_key: str = _secret()
    s3_secret_key: str = _secret()
    s3_region: str = ""
    s3_secure: bool = True
    s3_bucket_prefix: str = "supercheck"
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_username: str = ""
    smtp_password: str = _secret()
    smtp_security: str = "starttls"
    smtp_from: str = ""
    # Logs.
    log_level: str = "INFO"
    log_format: str = "console"

    @property
    def default_location(self) -> str:
        """Where a round without `locationConfig` runs: the first location."""
        return self.locations[0].code

    @property
    def served_locations(self) -> tuple[str, ...]:
        """The codes that a check worker of this process consumes."""
        if self.worker_location:
            return (self.worker_location,)
        return tuple(spec.code for spec in self.locations)

    @property
    def public_url(self) -> str:
        """Base of links in alerts and of heartbeat URLs, without a trailing slash."""
        return self.app_url or f"http://localhost:{self.port}"


# --- one value -------------------------------------------------------------------------------


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("true or false")


def _choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError("one of " + ", ".join(words))

    return parse


def _split(text: str) -> SplitResult | None:
    """The parts of a URL, None where it is none: the library's own error would repeat it, password and all."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        parts = _split(text)
        if parts is None or parts.scheme not in schemes or not parts.hostname:
            raise ValueError("a URL such as " + schemes[0] + "://host…")
        return text.rstrip("/")

    return parse


def _database_url(text: str) -> str:
    """A libpq URL: PaaS vendors' `postgres://` and SQLAlchemy's `postgresql+psycopg://` are understood."""
    scheme, _, rest = text.partition("://")
    if scheme.partition("+")[0] not in {"postgres", "postgresql"} or not rest:
        raise ValueError("a URL such as postgresql://user:password@host:5432/database")
    return "postgresql://" + rest


def _redis_url(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.scheme not in {"redis", "rediss", "unix", "valkey", "valkeys"}:
        raise ValueError("a URL such as redis://host:6379/0 or rediss://…")
    scheme = parts.scheme.replace("valkey", "redis")
    query = [(name, value) for name, value in parse_qsl(parts.query)]
    return urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), ""))


def _encryption_keys(text: str) -> tuple[bytes, ...]:
    keys = []
    for part in text.split(","):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 16:
            raise ValueError("base64 of 16 bytes each, separated by commas; " + HOW_TO_MAKE_A_KEY)
        keys.append(key)
    return tuple(keys)


def _location(text: str) -> str:
    if not LOCATION_CODE.fullmatch(text):
        raise ValueError("a location code: lower-case letters, digits and hyphens, such as eu-central")
    return text


def _locations(text: str) -> tuple[LocationSpec, ...]:
    """`code` or `code=Name`, separated by commas; the first is the default location."""
    specs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        code, _, name = part.partition("=")
        specs.append(LocationSpec(_location(code.strip()), name.strip() or code.strip()))
    if not specs or len({spec.code for spec in specs}) != len(specs):
        raise ValueError("a list of distinct codes such as home=Home office,vps=Rented server")
    return tuple(specs)


def _internal_targets(text: str) -> tuple[str, ...]:
    entries = []
    for part in filter(None, (piece.strip().lower() for piece in text.split(","))):
        try:
            entries.append(str(ipaddress.ip_network(part, strict=False)) if "/" in part else part)
        except ValueError:
            raise ValueError("CIDRs and host names separated by commas, such as 10.0.0.0/8,db.internal") from None
    return tuple(entries)


def _protocols(text: str) -> tuple[str, ...]:
    """Some of `PROTOCOLS`, in their order."""
    words = {piece.strip().lower() for piece in text.split(",") if piece.strip()}
    if not words or not words <= set(PROTOCOLS):
        raise ValueError("http, https or both, separated by a comma")
    return tuple(word for word in PROTOCOLS if word in words)


def _api_key(text: str) -> str:
    if not API_KEY.fullmatch(text):
        raise ValueError("32 to 128 characters of A-Z a-z 0-9 _ -")
    return text


_VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "DATABASE_URL": ("database_url", _database_url),
    "REDIS_URL": ("redis_url", _redis_url),
    "SUPERCHECK_DATA_DIR": ("data_dir", Path),
    "HOST": ("host", str),
    "PORT": ("port", _integer(1, 65535)),
    "TRUSTED_PROXIES": ("trusted_proxies", _integer(0, 16)),
    "APP_URL": ("app_url", _url("https", "http")),
    "METRICS_TOKEN": ("metrics_token", str),
    "API_RATE_LIMIT_PER_MINUTE": ("api_rate_limit_per_minute", _integer(0, 10_000_000)),
    "SECRET_KEY": ("secret_key", str),
    "CREDENTIAL_ENCRYPTION_KEY": ("encryption_keys", _encryption_keys),
    "SUPERCHECK_ADMIN_EMAIL": ("admin_email", str),
    "SUPERCHECK_ADMIN_PASSWORD": ("admin_password", str),
    "SUPERCHECK_API_KEY": ("api_key", _api_key),
    "SUPERCHECK_PROCESS": ("process", _choice("web", "scheduler", "worker", "check_worker")),
    "WORKER_LOCATION": ("worker_location", _location),
    "MULTI_LOCATION_DISTRIBUTED": ("multi_location_distributed", _boolean),
    "LOCATIONS": ("locations", _locations),
    "PARALLEL_THREADS": ("parallel_threads", _integer(1, 256)),
    "DISABLE_MONITOR_SCHEDULER": ("disable_monitor_scheduler", _boolean),
    "DISABLE_JOB_SCHEDULER": ("disable_job_scheduler", _boolean),
    "MIN_CHECK_INTERVAL_SECONDS": ("min_check_interval_seconds", _integer(5, 86_400)),
    "ALLOW_INTERNAL_TARGETS": ("allow_internal_targets", _boolean),
    "ALLOWED_INTERNAL_TARGETS": ("allowed_internal_targets", _internal_targets),
    "MAX_RESPONSE_SIZE_MB": ("max_response_size_mb", _integer(1, 1024)),
    "MAX_CONCURRENT_CONNECTIONS": ("max_concurrent_connections", _integer(1, 100_000)),
    "MAX_CONNECTIONS_PER_HOST": ("max_connections_per_host", _integer(1, 100_000)),
    "ALLOWED_PROTOCOLS": ("allowed_protocols", _protocols),
    "MIN_TLS_VERSION": ("min_tls_version", _choice(*TLS_VERSIONS)),
    # An address is believed half a minute at most: a target that has moved is looked for where it is.
    "DNS_CACHE_SECONDS": ("dns_cache_seconds", _integer(0, 30)),
    "MAX_STRING_LENGTH": ("max_string_length", _integer(256, 10_000_000)),
    "MAX_REQUEST_BODY_LENGTH": ("max_request_body_length", _integer(0, 262_144)),
    "MAX_MEMORY_USAGE_MB": ("max_memory_usage_mb", _integer(128, 1_048_576)),
    "MAX_EXECUTION_TIME_MS": ("max_execution_time_ms", _integer(1000, 86_400_000)),
    "STORM_THRESHOLD": ("storm_threshold", _integer(0, 1_000_000)),
    "FALLBACK_AFTER_MINUTES": ("fallback_after_minutes", _integer(1, 1440)),
    "MONITOR_CLEANUP_ENABLED": ("cleanup_enabled", _boolean),
    "MONITOR_CLEANUP_CRON": ("cleanup_cron", str),
    "MONITOR_RETENTION_DAYS": ("retention_days", _integer(1, 36_500)),
    "MONITOR_CLEANUP_BATCH_SIZE": ("cleanup_batch_size", _integer(1, 100_000)),
    "MONITOR_PRESERVE_STATUS_CHANGES": ("preserve_status_changes", _boolean),
    "MONITOR_CLEANUP_SAFETY_LIMIT": ("cleanup_safety_limit", _integer(1, 1_000_000_000)),
    "S3_ENDPOINT": ("s3_endpoint", str),
    "S3_ACCESS_KEY": ("s3_access_key", str),
    "S3_SECRET_KEY": ("s3_secret_key", str),
    "S3_REGION": ("s3_region", str),
    "S3_SECURE": ("s3_secure", _boolean),
    "S3_BUCKET_PREFIX": ("s3_bucket_prefix", str),
    "SMTP_HOST": ("smtp_host", str),
    "SMTP_PORT": ("smtp_port", _integer(1, 65535)),
    "SMTP_USERNAME": ("smtp_username", str),
    "SMTP_PASSWORD": ("smtp_password", str),
    "SMTP_SECURITY": ("smtp_security", _choice("none", "starttls", "tls")),
    "SMTP_FROM": ("smtp_from", str),
    "LOG_LEVEL": ("log_level", _choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    "LOG_FORMAT": ("log_format", _choice("console", "json")),
}


# --- the whole -------------------------------------------------------------------------------


def parse(environ: Mapping[str, str]) -> Settings:
    """`environ` as `Settings`; blank values count as unset. Raises `SettingsError`."""
    values: dict[str, Any] = {}
    for variable, (name, convert) in _VARIABLES.items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            values[name] = convert(text)
        except ValueError as error:
            # The value itself is left out: it may be a secret.
            raise SettingsError(f"{variable} is wrong: it must be {error}.") from None
    settings = Settings(**values)
    _agree(settings)
    return settings


def _agree(settings: Settings) -> None:
    """Raise `SettingsError` where two settings contradict each other."""
    if bool(settings.database_url) != bool(settings.redis_url):
        missing = "REDIS_URL" if settings.database_url else "DATABASE_URL"
        raise SettingsError(
            f"{missing} is missing: set DATABASE_URL and REDIS_URL both, or neither for embedded servers."
        )


def require_servers(settings: Settings) -> None:
    """Raise `SettingsError` unless this process has its servers and its keys.

    `supercheck up` fills them in for the processes that it starts; on real servers the operator sets them.
    """
    if not settings.database_url:
        raise SettingsError("DATABASE_URL and REDIS_URL are missing: set both, or start everything with: supercheck up")
    if not settings.secret_key:
        raise SettingsError(
            "SECRET_KEY is missing: make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    if not settings.encryption_keys:
        raise SettingsError("CREDENTIAL_ENCRYPTION_KEY is missing: " + HOW_TO_MAKE_A_KEY)


@cache
def get() -> Settings:
    """The settings of this process, read at the first call. Raises `SettingsError`."""
    return parse(os.environ)


def variable_names() -> dict[str, str]:
    """Environment variable -> field of `Settings`; the configuration reference is checked against it."""
    known = {item.name for item in fields(Settings)}
    return {variable: name for variable, (name, _) in _VARIABLES.items() if name in known}
