"""Warnings to the operator about Supercheck itself: at most one open row per kind and subject."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from models.connections.database import Db

UNREADABLE_SCHEDULE = "unreadable_schedule"


def raise_warning(db: Db, kind: str, subject: str, message: str) -> None:
    """Open the warning, or record that it still applies."""
    db.execute(
        "INSERT INTO operator_warnings (id, kind, subject, message) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (kind, subject) WHERE resolved_at IS NULL"
        " DO UPDATE SET last_seen_at = now(), message = EXCLUDED.message",
        [uuid4(), kind, subject, message],
    )


def resolve_others(db: Db, kind: str, subjects: Iterable[str]) -> None:
    """Close the open warnings of `kind` about all subjects other than `subjects`."""
    db.execute(
        "UPDATE operator_warnings SET resolved_at = now()"
        " WHERE kind = %s AND resolved_at IS NULL AND NOT subject = ANY(%s)",
        [kind, list(subjects)],
    )


def resolve_unseen(db: Db, kind: str, since: datetime) -> None:
    """Close the open warnings of `kind` that were not raised again since `since`."""
    db.execute(
        "UPDATE operator_warnings SET resolved_at = now()"
        " WHERE kind = %s AND resolved_at IS NULL AND last_seen_at < %s",
        [kind, since],
    )
