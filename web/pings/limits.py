"""Limits per heartbeat token and minute: pings, and bytes of stored bodies. Each web process counts for itself."""

import time
from threading import Lock

import settings

#: Bodies beyond this many bytes per minute are searched and not stored. Their pings still count.
STORED_BYTES_PER_MINUTE = 200_000
_WINDOW_SECONDS = 60


class PingLimits:
    """The counts of the current minute, for tokens that exist."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = 0
        self._pings: dict[bytes, int] = {}
        self._bytes: dict[bytes, int] = {}

    def wait(self, token_hash: bytes) -> int:
        """Return the seconds until the next ping with this token is accepted; 0 if it is accepted now."""
        limit = settings.get().api_rate_limit_per_minute
        now = time.time()
        if not limit or self._reset_if_new_minute(now) or self._pings.get(token_hash, 0) < limit:
            return 0
        return max(1, _WINDOW_SECONDS - int(now % _WINDOW_SECONDS))

    def may_store(self, token_hash: bytes, size: int) -> bool:
        """Return whether a body of `size` bytes may be stored now."""
        return (
            self._reset_if_new_minute(time.time()) or self._bytes.get(token_hash, 0) + size <= STORED_BYTES_PER_MINUTE
        )

    def count(self, token_hash: bytes, size: int) -> None:
        """Count a ping with this token and a stored body of `size` bytes."""
        with self._lock:
            self._pings[token_hash] = self._pings.get(token_hash, 0) + 1
            if size:
                self._bytes[token_hash] = self._bytes.get(token_hash, 0) + size

    def _reset_if_new_minute(self, now: float) -> bool:
        """Return whether a new minute has begun. If so, reset all counts."""
        window = int(now // _WINDOW_SECONDS)
        if window == self._window:
            return False
        with self._lock:
            self._window = window
            self._pings.clear()
            self._bytes.clear()
        return True
