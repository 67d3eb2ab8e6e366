"""Passwords: argon2id hashes, and a limit on how many are computed at once.

A hash takes 64 MiB and a tenth of a second. Without the limit, a hundred people or programs that sign in together
would leave no memory and processor time for other work.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

import settings
from models.tables import User

#: The length of a password in characters.
SHORTEST, LONGEST = 10, 256
#: Hashes that are computed at once, and requests that may wait for a permit. Each holds a thread of the web process.
MAX_CONCURRENT = 3
MAX_WAITING = 32
WAIT_TIMEOUT_S = 5.0

_HASHER = PasswordHasher()


class TooManyAtOnce(Exception):
    """More hashes are requested than this process can compute in a reasonable time."""


class HashLimiter:
    """Let `concurrent` threads compute a hash at once, and `waiting` more threads wait for a permit."""

    def __init__(self, concurrent: int, waiting: int, timeout_s: float) -> None:
        self._permits = threading.BoundedSemaphore(concurrent)
        self._queue = threading.BoundedSemaphore(concurrent + waiting)
        self._timeout_s = timeout_s

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Hold a permit inside the block. Raise `TooManyAtOnce` if none is available in time."""
        if not self._queue.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            if not self._permits.acquire(timeout=self._timeout_s):
                raise TooManyAtOnce
            try:
                yield
            finally:
                self._permits.release()
        finally:
            self._queue.release()


_limiter = HashLimiter(MAX_CONCURRENT, MAX_WAITING, WAIT_TIMEOUT_S)


def problem(password: str) -> str:
    """Return one sentence that says why `password` is not allowed, or an empty string if it is."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if len(set(password)) < settings.MIN_DIFFERENT_CHARACTERS:
        return f"A password has at least {settings.MIN_DIFFERENT_CHARACTERS} different characters."
    return ""


def hash_password(password: str) -> str:
    """Return the argon2id hash for `users.password_hash`. Raise `TooManyAtOnce` if this process is too busy."""
    with _limiter.permit():
        return _HASHER.hash(password)


def needs_rehash(stored: str) -> bool:
    """Return whether `stored` was computed with weaker parameters than the present ones."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _unknown_account_hash() -> str:
    """Return a hash that no password matches, so that an unknown account takes as long as a known one."""
    return _HASHER.hash("no account has this password")


def matches(stored: str | None, password: str) -> bool:
    """Return whether `password` matches the hash `stored`. None takes the same time. Raise `TooManyAtOnce`."""
    with _limiter.permit():
        try:
            is_match = _HASHER.verify(stored or _unknown_account_hash(), password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return is_match and stored is not None


def password_fits(user: User | None, password: str) -> bool:
    """Return whether `password` is that of `user`. None takes the same time. Raise `TooManyAtOnce`."""
    return matches(user.password_hash if user else None, password)
