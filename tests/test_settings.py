"""The environment, read once and strictly."""

import base64
import dataclasses
from pathlib import Path
from typing import Any

import pytest

import settings
from settings import LocationSpec, SettingsError

KEY = base64.b64encode(bytes(range(16))).decode()
OTHER_KEY = base64.b64encode(bytes(16)).decode()
SERVERS = {"DATABASE_URL": "postgresql://u:p@db/x", "REDIS_URL": "redis://cache:6379/0"}

#: variable -> (what is written, what is read, what is wrong; None if nothing is)
TABLE: dict[str, tuple[str, Any, str | None]] = {
    "DATABASE_URL": (
        "postgres://u:p@db:5432/x?sslmode=require",
        "postgresql://u:p@db:5432/x?sslmode=require",
        "mysql://hunter2@db",
    ),
    "REDIS_URL": ("valkeys://:pw@cache:6380/1", "rediss://:pw@cache:6380/1", "http://hunter2@cache"),
    "SUPERCHECK_DATA_DIR": ("/srv/supercheck", Path("/srv/supercheck"), None),
    "HOST": ("127.0.0.1", "127.0.0.1", None),
    "PORT": ("8080", 8080, "65536"),
    "TRUSTED_PROXIES": ("2", 2, "-1"),
    "APP_URL": ("https://status.example.com/", "https://status.example.com", "ftp://hunter2"),
    "METRICS_TOKEN": ("a token", "a token", None),
    "API_RATE_LIMIT_PER_MINUTE": ("0", 0, "many"),
    "SECRET_KEY": ("a key of thirty-two characters, or more", "a key of thirty-two characters, or more", "x"),
    "CREDENTIAL_ENCRYPTION_KEY": (f"{KEY}, {OTHER_KEY}", (bytes(range(16)), bytes(16)), "aHVudGVyMg=="),
    "SUPERCHECK_ADMIN_EMAIL": ("admin@example.com", "admin@example.com", None),
    "SUPERCHECK_ADMIN_PASSWORD": ("a password", "a password", "hunter2"),
    "SUPERCHECK_API_KEY": ("k" * 32, "k" * 32, "hunter2"),
    "SUPERCHECK_PROCESS": ("check_worker", "check_worker", "hunter2"),
    "WORKER_LOCATION": ("eu-central", "eu-central", "Hunter2!"),
    "MULTI_LOCATION_DISTRIBUTED": ("no", False, "hunter2"),
    "LOCATIONS": (
        "home=Home office, vps",
        (LocationSpec("home", "Home office"), LocationSpec("vps", "vps")),
        "a,a=hunter2",
    ),
    "PARALLEL_THREADS": ("4", 4, "0"),
    "DELIVERY_THREADS": ("4", 4, "3"),
    "DISABLE_MONITOR_SCHEDULER": ("true", True, "hunter2"),
    "DISABLE_JOB_SCHEDULER": ("ON", True, "hunter2"),
    "MIN_CHECK_INTERVAL_SECONDS": ("5", 5, "4"),
    "ALLOW_INTERNAL_TARGETS": ("1", True, "hunter2"),
    "ALLOWED_INTERNAL_TARGETS": ("10.1.2.3/8, DB.internal", ("10.0.0.0/8", "db.internal"), "hunter2/99"),
    "MAX_RESPONSE_SIZE_MB": ("3", 3, "0"),
    "MAX_CONCURRENT_CONNECTIONS": ("10", 10, "1e3"),
    "MAX_CONNECTIONS_PER_HOST": ("20", 20, "0"),
    "ALLOWED_PROTOCOLS": ("HTTPS", ("https",), "https,hunter2"),
    "MIN_TLS_VERSION": ("1.3", "1.3", "hunter2"),
    "DNS_CACHE_SECONDS": ("0", 0, "31"),
    "MAX_STRING_LENGTH": ("500", 500, "255"),
    "MAX_REQUEST_BODY_LENGTH": ("500", 500, "262145"),
    "MAX_MEMORY_USAGE_MB": ("512", 512, "127"),
    "MAX_EXECUTION_TIME_MS": ("60000", 60_000, "999"),
    "STORM_THRESHOLD": ("0", 0, "-1"),
    "FALLBACK_AFTER_MINUTES": ("60", 60, "0"),
    "MONITOR_CLEANUP_ENABLED": ("0", False, "hunter2"),
    "MONITOR_CLEANUP_CRON": ("30 3 * * *", "30 3 * * *", None),
    "MONITOR_RETENTION_DAYS": ("90", 90, "0"),
    "MONITOR_CLEANUP_BATCH_SIZE": ("500", 500, "0"),
    "MONITOR_PRESERVE_STATUS_CHANGES": ("false", False, "hunter2"),
    "MONITOR_CLEANUP_SAFETY_LIMIT": ("5", 5, "0"),
    "S3_ENDPOINT": ("s3.example.com", "s3.example.com", None),
    "S3_ACCESS_KEY": ("access", "access", None),
    "S3_SECRET_KEY": ("a secret", "a secret", None),
    "S3_REGION": ("eu", "eu", None),
    "S3_SECURE": ("false", False, "hunter2"),
    "S3_BUCKET_PREFIX": ("mine", "mine", None),
    "SMTP_HOST": ("mail.example.com", "mail.example.com", None),
    "SMTP_PORT": ("587", 587, "0"),
    "SMTP_USERNAME": ("me", "me", None),
    "SMTP_PASSWORD": ("a password", "a password", None),
    "SMTP_SECURITY": ("TLS", "tls", "hunter2"),
    "SMTP_FROM": ("monitoring@example.com", "monitoring@example.com", None),
    "LOG_LEVEL": ("debug", "DEBUG", "hunter2"),
    "LOG_FORMAT": ("JSON", "json", "hunter2"),
}
SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "METRICS_TOKEN",
    "SECRET_KEY",
    "CREDENTIAL_ENCRYPTION_KEY",
    "SUPERCHECK_ADMIN_PASSWORD",
    "SUPERCHECK_API_KEY",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "SMTP_PASSWORD",
)


def around(variable: str, value: str) -> dict[str, str]:
    """`variable` in an environment that is fine without it."""
    return {**(SERVERS if variable in SERVERS else {}), variable: value}


def test_the_table_names_every_variable_and_every_setting_has_one() -> None:
    assert set(TABLE) == set(settings.variable_names())
    assert {*settings.variable_names().values()} == {one.name for one in dataclasses.fields(settings.Settings)}


@pytest.mark.parametrize("variable", TABLE)
def test_a_right_value_is_read(variable: str) -> None:
    written, read, _ = TABLE[variable]
    found = settings.parse(around(variable, f" {written} "))
    assert getattr(found, settings.variable_names()[variable]) == read


@pytest.mark.parametrize("variable", [name for name, (_, _, wrong) in TABLE.items() if wrong is not None])
def test_a_wrong_value_names_its_variable_and_is_not_repeated(variable: str) -> None:
    wrong = TABLE[variable][2]
    assert wrong is not None
    with pytest.raises(SettingsError) as refused:
        settings.parse(around(variable, wrong))
    text = str(refused.value)
    assert text.startswith(f"{variable} is wrong: it must be ")
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "APP_URL"])
@pytest.mark.parametrize("tail", ["u:hunter2@[", "u:hunter2\u2100@host", "u:hunter2@host]:1"])
def test_a_url_that_the_library_refuses_is_not_repeated_either(variable: str, tail: str) -> None:
    scheme = {"DATABASE_URL": "postgresql", "REDIS_URL": "redis", "APP_URL": "https"}[variable]
    try:
        settings.parse(around(variable, f"{scheme}://{tail}"))
    except SettingsError as refused:
        assert variable in str(refused)
        assert "hunter2" not in str(refused)


@pytest.mark.parametrize("variable", TABLE)
def test_a_blank_value_counts_as_unset(variable: str) -> None:
    name = settings.variable_names()[variable]
    assert getattr(settings.parse({variable: "  "}), name) == getattr(settings.Settings(), name)


def test_the_text_of_the_settings_holds_no_secret() -> None:
    environ = {variable: TABLE[variable][0] for variable in SECRETS}
    environ["DATABASE_URL"], environ["SUPERCHECK_API_KEY"] = "postgresql://u:hunter2@db/x", "hunter2" * 8
    text = repr(settings.parse(environ))
    for variable in SECRETS:
        assert f"{settings.variable_names()[variable]}=" not in text
    for piece in ("hunter2", "a secret", "a token", "a password", "a key", repr(bytes(16)), ":pw@"):
        assert piece not in text
    assert "port=8000" in text, "what is no secret is shown"


@pytest.mark.parametrize("given", SERVERS)
def test_both_servers_are_given_or_neither(given: str) -> None:
    missing = next(name for name in SERVERS if name != given)
    with pytest.raises(SettingsError, match=f"^{missing} is missing"):
        settings.parse({given: SERVERS[given]})


def test_a_workers_location_may_be_one_that_was_added_later() -> None:
    assert settings.parse({"WORKER_LOCATION": "mars"}).served_locations == ("mars",)
    found = settings.parse({"WORKER_LOCATION": "mars", "LOCATIONS": "moon,mars"})
    assert found.served_locations == ("mars",)
    assert found.default_location == "moon"


def test_a_worker_without_a_location_serves_them_all() -> None:
    assert settings.parse({}).served_locations == ("us-east", "eu-central", "asia-pacific")


def test_links_point_to_where_people_reach_it() -> None:
    assert settings.parse({"APP_URL": "https://s.example/"}).public_url == "https://s.example"
    assert settings.parse({"PORT": "9000"}).public_url == "http://localhost:9000"


@pytest.mark.parametrize("missing", ["DATABASE_URL", "SECRET_KEY", "CREDENTIAL_ENCRYPTION_KEY"])
def test_a_process_says_which_server_or_key_it_lacks_and_how_to_get_it(missing: str) -> None:
    whole = {**SERVERS, "SECRET_KEY": "a key of thirty-two characters, or more", "CREDENTIAL_ENCRYPTION_KEY": KEY}
    settings.require_servers(settings.parse(whole))
    without = {name: value for name, value in whole.items() if name != missing}
    if missing == "DATABASE_URL":
        del without["REDIS_URL"]
    with pytest.raises(SettingsError, match=missing):
        settings.require_servers(settings.parse(without))


@pytest.mark.parametrize("variable", SECRETS)
def test_a_secret_may_come_from_a_file(variable: str, tmp_path: Path) -> None:
    written, read, _ = TABLE[variable]
    file = tmp_path / "secret"
    file.write_text(f"{written}\n")
    environ = {name: value for name, value in around(variable, written).items() if name != variable}
    found = settings.parse({**environ, f"{variable}_FILE": str(file)})
    assert getattr(found, settings.variable_names()[variable]) == read


@pytest.mark.parametrize("content", [None, b"\xff", b"x" * 70_000])
def test_a_secret_file_that_cannot_be_read_names_its_variable(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^SECRET_KEY_FILE is wrong: "):
        settings.parse({"SECRET_KEY_FILE": str(file)})


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        settings.parse({"SECRET_KEY": "hunter2", "SECRET_KEY_FILE": str(tmp_path / "x")})


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    assert settings.parse({"PORT_FILE": str(tmp_path / "port")}).port == 8000


def test_every_secret_is_marked_as_one() -> None:
    marked = {field.metadata["variable"] for field in dataclasses.fields(settings.Settings) if field.metadata["secret"]}
    assert marked == set(SECRETS)


def test_more_locations_than_a_worker_can_serve_are_refused() -> None:
    with pytest.raises(settings.SettingsError, match=f"at most {settings.MAX_LOCATIONS}"):
        settings.parse({"LOCATIONS": ",".join(f"place-{number}" for number in range(settings.MAX_LOCATIONS + 1))})
