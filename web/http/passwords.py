"""Passwords: argon2id hashes, and a bound on how many are computed at once.

A hash takes 64 MiB and a tenth of a second. Without the bound, a hundred people or programs that sign in together
would take the memory and the processors of everything else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

import settings
from models.tables import User

#: Characters of a password that a person chooses.
SHORTEST, LONGEST = 10, 256
#: Hashes computed at once, and how many requests may wait for their permit; each holds a thread of the web process.
MAX_CONCURRENT = 3
MAX_WAITING = 32
WAIT_TIMEOUT_S = 5.0

_HASHER = PasswordHasher()


class TooManyAtOnce(Exception):
    """More hashes are wanted than this process computes in a reasonable time."""


class HashLimiter:
    """Lets `concurrent` threads in. Further ones wait; the waiting room is bounded, too."""

    def __init__(self, concurrent: int, waiting: int, timeout_s: float) -> None:
        self._permits = threading.BoundedSemaphore(concurrent)
        self._queue = threading.BoundedSemaphore(concurrent + waiting)
        self._timeout_s = timeout_s

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Hold a permit inside the block. Raises `TooManyAtOnce`."""
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
    """Why nobody may choose `password`, one sentence; empty if they may."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if len(set(password)) < settings.MIN_DIFFERENT_CHARACTERS:
        return f"A password has at least {settings.MIN_DIFFERENT_CHARACTERS} different characters."
    return ""


def hash_password(password: str) -> str:
    """The argon2id hash that `users.password_hash` holds. Raises `TooManyAtOnce`."""
    with _limiter.permit():
        return _HASHER.hash(password)


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with weaker parameters than those of today."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _unknown_account_hash() -> str:
    """A hash that no password matches: unknown accounts take as long as known ones."""
    return _HASHER.hash("no account has this password")


def matches(stored: str | None, password: str) -> bool:
    """Whether `password` belongs to the hash `stored`; takes the same time for None. Raises `TooManyAtOnce`."""
    with _limiter.permit():
        try:
            found = _HASHER.verify(stored or _unknown_account_hash(), password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return found and stored is not None


def password_fits(user: User | None, password: str) -> bool:
    """Whether `password` is that of `user`; takes the same time for None. Raises `TooManyAtOnce`."""
    return matches(user.password_hash if user else None, password)
