"""The tokens whose pings this process has accepted. It trusts them while the database is not reachable."""

import hashlib
from threading import Lock

from models.queries.pings import Ping

#: Each token takes a few hundred bytes.
LIMIT = 20_000


class TrustedTokens:
    """Valid tokens, each with the API key of its ping or none. At most `limit`: the oldest is dropped."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._trusted: dict[bytes, str | None] = {}
        self._lock = Lock()

    def remember(self, ping: Ping, keyword: str | None = None) -> None:
        """Trust the token of `ping`, which was accepted for a monitor that expects `keyword` in a body."""
        job = _job(ping)
        if self._trusted.get(job, "") == keyword:
            return
        with self._lock:
            if job not in self._trusted and len(self._trusted) >= self._limit:
                del self._trusted[next(iter(self._trusted))]
            self._trusted[job] = keyword

    def forget(self, ping: Ping) -> None:
        """Stop trusting the token of `ping`, which was rejected."""
        with self._lock:
            self._trusted.pop(_job(ping), None)

    def trusts(self, ping: Ping) -> bool:
        """Return whether a ping with this token and this API key was accepted before."""
        return _job(ping) in self._trusted

    def keyword(self, ping: Ping) -> str | None:
        """Return the keyword that the monitor expects in a body, or None."""
        return self._trusted.get(_job(ping))


def _job(ping: Ping) -> bytes:
    return hashlib.blake2b(ping.token_hash + (ping.key_hash or b""), digest_size=16).digest()
