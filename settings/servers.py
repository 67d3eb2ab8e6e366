"""Servers, the web process, keys and the first start."""

from dataclasses import dataclass
from pathlib import Path

from settings import values
from settings.setting import Section, secret, setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Servers, the web process, keys and the first start."""

    database_url: str = secret(
        Section.SERVERS,
        "DATABASE_URL",
        values.database_url,
        "",
        "PostgreSQL 14 or newer, as `postgresql://user:password@host:5432/database`; `postgres://` and "
        "`?sslmode=` are accepted. Set it together with `REDIS_URL`, or set neither: `supercheck up` then "
        "starts embedded servers.",
    )
    redis_url: str = secret(
        Section.SERVERS,
        "REDIS_URL",
        values.redis_url,
        "",
        "Redis or Valkey, as `redis://host:6379/0`, or `rediss://` for TLS. Enable its append-only file, so "
        "that queued messages survive its restart.",
    )
    data_dir: Path = setting(
        Section.SERVERS,
        "SUPERCHECK_DATA_DIR",
        Path,
        Path("var"),
        "Data of the embedded servers, the keys made for them, and artifacts if no S3 storage is set. Back it up.",
        shown="`./var`",
    )
    port: int = setting(Section.WEB, "PORT", values.integer(1, 65535), 8000, "Port that the web process listens on.")
    host: str = setting(
        Section.WEB,
        "HOST",
        str,
        "0.0.0.0",  # noqa: S104 - a PaaS routes to every interface; an embedded start narrows it
        "Address that it listens on; `127.0.0.1` with embedded servers.",
    )
    app_url: str = setting(
        Section.WEB,
        "APP_URL",
        values.url("https", "http"),
        "",
        "Base of links in alerts and of heartbeat URLs. With `https`, cookies are sent over TLS only.",
        shown="`http://localhost:PORT`",
    )
    trusted_proxies: int = setting(
        Section.WEB,
        "TRUSTED_PROXIES",
        values.integer(0, 16),
        0,
        "Number of proxies in front whose client address is trusted.",
    )
    metrics_token: str = secret(
        Section.WEB,
        "METRICS_TOKEN",
        str,
        "",
        "Bearer token that `/metrics` requires. If it is unset, `/metrics` serves loopback only.",
    )
    api_rate_limit_per_minute: int = setting(
        Section.WEB,
        "API_RATE_LIMIT_PER_MINUTE",
        values.integer(0, 10_000_000),
        6000,
        "Requests per minute for each API key, and pings per minute for each heartbeat token in each web process; `0` disables the limit.",
    )
    secret_key: str = secret(
        Section.KEYS,
        "SECRET_KEY",
        values.secret_key,
        "",
        "Signs sessions: at least 16 random characters. A new one signs everyone out.",
    )
    encryption_keys: tuple[bytes, ...] = secret(
        Section.KEYS,
        "CREDENTIAL_ENCRYPTION_KEY",
        values.encryption_keys,
        (),
        "Encrypts stored credentials: base64 of 16 bytes. A comma-separated list rotates keys: the first "
        "encrypts, all decrypt. Without it, stored credentials are lost.",
    )
    admin_email: str = setting(
        Section.FIRST_START, "SUPERCHECK_ADMIN_EMAIL", str, "", "The first account.", shown="`admin@supercheck.local`"
    )
    admin_password: str = secret(
        Section.FIRST_START,
        "SUPERCHECK_ADMIN_PASSWORD",
        values.admin_password,
        "",
        "Its password: at least 8 characters.",
        shown="generated",
    )
    api_key: str = secret(
        Section.FIRST_START,
        "SUPERCHECK_API_KEY",
        values.api_key,
        "",
        "API key of the first project: 32 to 128 of `A-Z a-z 0-9 _ -`.",
        shown="generated",
    )
