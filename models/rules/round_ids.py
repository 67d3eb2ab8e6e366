"""Identities derived from what they identify, so that doing a thing twice finds the first time's row."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970: how times travel in messages, without loss."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time that `to_micros` was given."""
    return _EPOCH + micros * _MICROSECOND


def _derived(*parts: bytes) -> UUID:
    return UUID(bytes=hashlib.sha1(b"\0".join(parts), usedforsecurity=False).digest()[:16], version=5)


def round_id(monitor_id: UUID, scheduled_for: datetime) -> UUID:
    """The execution group's id of a round."""
    return _derived(b"round", monitor_id.bytes, str(to_micros(scheduled_for)).encode())


def result_id(monitor_id: UUID, scheduled_for: datetime, location: str | None) -> UUID:
    """The id of one location's result of a round; `location` is None for missed heartbeats."""
    return _derived(b"result", monitor_id.bytes, str(to_micros(scheduled_for)).encode(), (location or "").encode())
