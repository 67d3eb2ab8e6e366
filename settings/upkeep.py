"""Retention, artifact storage, mail and logs."""

from dataclasses import dataclass

from settings import values
from settings.setting import Section, secret, setting


@dataclass(frozen=True, kw_only=True)
class UpkeepSettings:
    """Retention, artifact storage, mail and logs."""

    cleanup_enabled: bool = setting(
        Section.RETENTION, "MONITOR_CLEANUP_ENABLED", values.boolean, True, "Deletes old results.", unused=True
    )
    cleanup_cron: str = setting(
        Section.RETENTION, "MONITOR_CLEANUP_CRON", str, "0 2 * * *", "When the cleanup runs, in UTC.", unused=True
    )
    retention_days: int = setting(
        Section.RETENTION,
        "MONITOR_RETENTION_DAYS",
        values.integer(1, 36_500),
        30,
        "Days that results are kept.",
        unused=True,
    )
    preserve_status_changes: bool = setting(
        Section.RETENTION,
        "MONITOR_PRESERVE_STATUS_CHANGES",
        values.boolean,
        True,
        "Keeps results that changed a status.",
        unused=True,
    )
    cleanup_batch_size: int = setting(
        Section.RETENTION,
        "MONITOR_CLEANUP_BATCH_SIZE",
        values.integer(1, 100_000),
        1000,
        "Rows deleted per statement.",
        unused=True,
    )
    cleanup_safety_limit: int = setting(
        Section.RETENTION,
        "MONITOR_CLEANUP_SAFETY_LIMIT",
        values.integer(1, 1_000_000_000),
        1_000_000,
        "Rows deleted per run.",
        unused=True,
    )
    s3_endpoint: str = setting(
        Section.STORAGE_FOR_ARTIFACTS, "S3_ENDPOINT", str, "", "Host and port of an S3-compatible service.", unused=True
    )
    s3_access_key: str = secret(Section.STORAGE_FOR_ARTIFACTS, "S3_ACCESS_KEY", str, "", "Access key.", unused=True)
    s3_secret_key: str = secret(Section.STORAGE_FOR_ARTIFACTS, "S3_SECRET_KEY", str, "", "Secret key.", unused=True)
    s3_region: str = setting(Section.STORAGE_FOR_ARTIFACTS, "S3_REGION", str, "", "Region.", unused=True)
    s3_secure: bool = setting(
        Section.STORAGE_FOR_ARTIFACTS, "S3_SECURE", values.boolean, True, "Uses TLS.", unused=True
    )
    s3_bucket_prefix: str = setting(
        Section.STORAGE_FOR_ARTIFACTS, "S3_BUCKET_PREFIX", str, "supercheck", "Prefix of bucket names.", unused=True
    )
    smtp_host: str = setting(Section.MAIL, "SMTP_HOST", str, "", "Server that sends mail.")
    smtp_port: int = setting(
        Section.MAIL, "SMTP_PORT", values.integer(1, 65535), 0, "Its port.", shown="25, 465 (`tls`) or 587 (`starttls`)"
    )
    smtp_username: str = setting(Section.MAIL, "SMTP_USERNAME", str, "", "User name.")
    smtp_password: str = secret(Section.MAIL, "SMTP_PASSWORD", str, "", "Password.")
    smtp_security: str = setting(
        Section.MAIL,
        "SMTP_SECURITY",
        values.choice("none", "starttls", "tls"),
        "starttls",
        "`none`, `starttls` or `tls`.",
    )
    smtp_from: str = setting(Section.MAIL, "SMTP_FROM", str, "", "Address of the sender.")
    log_level: str = setting(
        Section.LOGS,
        "LOG_LEVEL",
        values.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        "INFO",
        "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.",
    )
    log_format: str = setting(
        Section.LOGS,
        "LOG_FORMAT",
        values.choice("console", "json"),
        "console",
        "`console` for people, `json` for machines.",
    )
