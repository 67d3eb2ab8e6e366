"""Whose pings this process has taken before: those it may take on trust while the database cannot be asked."""

import hashlib
from threading import Lock

from models.queries.pings import Ping

#: Some hundred bytes each.
LIMIT = 20_000


class KnownJobs:
    """Tokens that were good, each with the API key that came along or with none. Bounded: the oldest is forgotten."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._known: dict[bytes, None] = {}
        self._lock = Lock()

    def remember(self, ping: Ping) -> None:
        """`ping` was taken."""
        job = _job(ping.token_hash, ping.key_hash)
        if job in self._known:
            return
        with self._lock:
            if len(self._known) >= self._limit:
                del self._known[next(iter(self._known))]
            self._known[job] = None

    def forget(self, ping: Ping) -> None:
        """`ping` was refused, whatever was true before."""
        with self._lock:
            self._known.pop(_job(ping.token_hash, ping.key_hash), None)

    def knows(self, token_hash: bytes, key_hash: bytes | None) -> bool:
        """Whether a ping with this token and this key was taken before."""
        return _job(token_hash, key_hash) in self._known


def _job(token_hash: bytes, key_hash: bytes | None) -> bytes:
    return hashlib.blake2b(token_hash + (key_hash or b""), digest_size=16).digest()
