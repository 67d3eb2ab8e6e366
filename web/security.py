"""Signing in: passwords, sessions, and delays that grow with every failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import redis
import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from flask import session
from flask_login import UserMixin, login_user, logout_user
from sqlalchemy import select

from models.tables import User
from web.extensions import db, login_manager, redis_client

log = structlog.get_logger()
_HASHER = PasswordHasher()
#: Failures without a delay, then 1, 2, 4 … seconds, up to the last.
_FREE_FAILURES = {"account": 3, "address": 10}
_LONGEST_DELAY_S = 900
_MEMORY_S = 3600


class SignInRefused(Exception):
    """Wrong credentials, or too many tries; `str()` is for the page. `retry_after` is seconds, 0 where none to wait."""

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person of a session, as Flask-Login wants it; `user` is the row."""

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """The id and the epoch: a new password ends every session made before."""
        return f"{self.user.id}:{self.user.session_epoch}"


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(text: str) -> SignedIn | None:
    name, _, epoch = text.partition(":")
    user = db.session.get(User, UUID(name))
    if user is None or not user.enabled or str(user.session_epoch) != epoch:
        return None
    return SignedIn(user)


def hash_password(password: str) -> str:
    """The argon2id hash that `users.password_hash` holds."""
    return _HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    """A hash no password fits: unknown accounts take as long as known ones."""
    return _HASHER.hash("nobody's password")


def password_fits(user: User | None, password: str) -> bool:
    """Whether `password` is that of `user`; takes the same time for None."""
    try:
        fits = _HASHER.verify(user.password_hash if user else _nobodys_hash(), password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return fits and user is not None


def sign_in(email: str, password: str, ip: str) -> User:
    """Start a session for the person with these credentials. Raises `SignInRefused`.

    After a few failures of one account, or from one address, the next try has to wait, longer each time.
    """
    email = email.replace("\x00", "").strip().lower()[:320]
    with _delays(email, ip, "The e-mail address or the password is wrong.") as guess:
        user = db.session.scalar(select(User).where(User.email == email))
        guess.right = password_fits(user, password) and user is not None and user.enabled
    assert user is not None, "nobody's password fits nobody"
    if _HASHER.check_needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    user.last_login_at = datetime.now(UTC)
    db.session.commit()
    start_session(user)
    return user


def confirm(user: User, password: str, ip: str) -> None:
    """Make sure that whoever sits here is `user`. Raises `SignInRefused`, with the delays of `sign_in` and counted with it."""
    with _delays(user.email, ip, "This is not your present password.") as guess:
        guess.right = password_fits(db.session.get(User, user.id), password)


def start_session(user: User) -> None:
    """Make this browser's session that of `user`, who has proved to be themselves."""
    session.clear()  # nothing of an anonymous session lives on in a signed-in one
    session.permanent = True
    login_user(SignedIn(user))


@dataclass(slots=True)
class _Guess:
    """One try at a password."""

    right: bool = False


@contextmanager
def _delays(email: str, ip: str, wrong: str) -> Iterator[_Guess]:
    """One try for the account from the address, judged inside. Raises `SignInRefused`: with `wrong`, or at once while they must wait."""
    counters = {"account": f"signin:account:{email}", "address": f"signin:address:{ip}"}
    wait = _remaining_delay(counters)
    if wait:
        raise SignInRefused(f"Too many wrong passwords. Try again in {wait} second{'' if wait == 1 else 's'}.", wait)
    guess = _Guess()
    yield guess
    if not guess.right:
        log.warning("sign_in_failed", ip=ip)
        raise SignInRefused(wrong, _count_failure(counters))
    _forget_failures(counters["account"])


def sign_out() -> None:
    """End the session of this browser."""
    logout_user()
    session.clear()


def _remaining_delay(counters: dict[str, str]) -> int:
    """Seconds until the next try; 0 where Redis is away: people must be able to sign in to see what is wrong."""
    try:
        waits: list[Any] = [redis_client().ttl(f"{key}:wait") for key in counters.values()]
    except redis.RedisError:
        return 0
    return int(max(0, *waits))


def _count_failure(counters: dict[str, str]) -> int:
    longest = 0
    try:
        for kind, key in counters.items():
            failures = int(redis_client().incr(key))
            redis_client().expire(key, _MEMORY_S)
            beyond = failures - _FREE_FAILURES[kind]
            if beyond > 0:
                delay = min(_LONGEST_DELAY_S, 2 ** min(beyond - 1, 20))
                redis_client().set(f"{key}:wait", 1, ex=delay)
                longest = max(longest, delay)
    except redis.RedisError:
        return 0
    return longest


def _forget_failures(key: str) -> None:
    try:
        redis_client().delete(key)
    except redis.RedisError:
        log.warning("redis_down", during="sign_in")
