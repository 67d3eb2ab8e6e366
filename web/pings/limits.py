"""What one heartbeat token may use in a minute: pings, and bytes of stored bodies. Each web process counts for itself."""

import time
from threading import Lock

import settings

#: Bodies beyond so many bytes a minute are judged and not stored; the ping counts all the same.
STORED_BYTES_PER_MINUTE = 200_000
_WINDOW_SECONDS = 60


class PingLimits:
    """Counts of the current minute, kept only for tokens that exist."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = 0
        self._pings: dict[bytes, int] = {}
        self._bytes: dict[bytes, int] = {}

    def wait(self, token_hash: bytes) -> int:
        """Seconds until the next ping with this token is taken; 0 if it is taken now."""
        limit = settings.get().api_rate_limit_per_minute
        now = time.time()
        if not limit or self._now(now) or self._pings.get(token_hash, 0) < limit:
            return 0
        return max(1, _WINDOW_SECONDS - int(now % _WINDOW_SECONDS))

    def may_store(self, token_hash: bytes, size: int) -> bool:
        """Whether a body of `size` bytes may be stored now."""
        return self._now(time.time()) or self._bytes.get(token_hash, 0) + size <= STORED_BYTES_PER_MINUTE

    def count(self, token_hash: bytes, size: int) -> None:
        """A ping with this token was stored, with a body of `size` bytes."""
        with self._lock:
            self._pings[token_hash] = self._pings.get(token_hash, 0) + 1
            if size:
                self._bytes[token_hash] = self._bytes.get(token_hash, 0) + size

    def _now(self, now: float) -> bool:
        """Whether a new minute has begun; then everything is counted from zero."""
        window = int(now // _WINDOW_SECONDS)
        if window == self._window:
            return False
        with self._lock:
            self._window = window
            self._pings.clear()
            self._bytes.clear()
        return True
