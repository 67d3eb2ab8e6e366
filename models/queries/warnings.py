"""Operator's warnings: our own trouble, one open row for each kind and subject."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from models.connections.database import Db

UNREADABLE_SCHEDULE = "unreadable_schedule"


def raise_warning(db: Db, kind: str, subject: str, message: str) -> None:
    """Open the warning, or note that it still holds."""
    db.execute(
        "INSERT INTO operator_warnings (id, kind, subject, message) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (kind, subject) WHERE resolved_at IS NULL"
        " DO UPDATE SET last_seen_at = now(), message = EXCLUDED.message",
        [uuid4(), kind, subject, message],
    )


def resolve_others(db: Db, kind: str, subjects: Iterable[str]) -> None:
    """Close the open warnings of `kind` about anything but `subjects`."""
    db.execute(
        "UPDATE operator_warnings SET resolved_at = now()"
        " WHERE kind = %s AND resolved_at IS NULL AND NOT subject = ANY(%s)",
        [kind, list(subjects)],
    )


def resolve_unseen(db: Db, kind: str, since: datetime) -> None:
    """Close the open warnings of `kind` that nobody has raised again since then."""
    db.execute(
        "UPDATE operator_warnings SET resolved_at = now()"
        " WHERE kind = %s AND resolved_at IS NULL AND last_seen_at < %s",
        [kind, since],
    )
