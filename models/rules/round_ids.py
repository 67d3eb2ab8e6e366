"""Ids derived from what they identify: if a step runs twice, it finds the row of the first run."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Return `moment` in microseconds since 1970, the lossless form that messages carry."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC time of `to_micros`."""
    return _EPOCH + micros * _MICROSECOND


def _derived(*parts: bytes) -> UUID:
    return UUID(bytes=hashlib.sha1(b"\0".join(parts), usedforsecurity=False).digest()[:16], version=5)


def round_id(monitor_id: UUID, scheduled_for: datetime) -> UUID:
    """Return the execution group id of a round."""
    return _derived(b"round", monitor_id.bytes, str(to_micros(scheduled_for)).encode())


def result_id(monitor_id: UUID, scheduled_for: datetime, location: str | None) -> UUID:
    """Return the id of one location's result of a round. `location` is None for missed heartbeats."""
    return _derived(b"result", monitor_id.bytes, str(to_micros(scheduled_for)).encode(), (location or "").encode())
