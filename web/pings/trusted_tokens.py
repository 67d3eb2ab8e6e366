"""Whose pings this process has taken before: those it may take on trust while the database cannot be asked."""

import hashlib
from threading import Lock

from models.queries.pings import Ping

#: Some hundred bytes each.
LIMIT = 20_000


class TrustedTokens:
    """Tokens that were good, each with the API key that came along or with none. Bounded: the oldest is forgotten."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._trusted: dict[bytes, str | None] = {}
        self._lock = Lock()

    def remember(self, ping: Ping, keyword: str | None = None) -> None:
        """`ping` was taken, for a monitor that expects `keyword` in a body."""
        job = _job(ping)
        if self._trusted.get(job, "") == keyword:
            return
        with self._lock:
            if job not in self._trusted and len(self._trusted) >= self._limit:
                del self._trusted[next(iter(self._trusted))]
            self._trusted[job] = keyword

    def forget(self, ping: Ping) -> None:
        """`ping` was refused, whatever was true before."""
        with self._lock:
            self._trusted.pop(_job(ping), None)

    def trusts(self, ping: Ping) -> bool:
        """Whether a ping with this token and this key was taken before."""
        return _job(ping) in self._trusted

    def keyword(self, ping: Ping) -> str | None:
        """What the monitor of this job expects in a body, as far as is known."""
        return self._trusted.get(_job(ping))


def _job(ping: Ping) -> bytes:
    return hashlib.blake2b(ping.token_hash + (ping.key_hash or b""), digest_size=16).digest()
