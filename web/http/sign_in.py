"""Sign-in: verify the password, with delays after failures, and start a session."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import select

from models.tables import User
from web.http import known_browsers, passwords, sessions, sign_in_delays
from web.http.extensions import db
from web.http.sign_in_delays import Counter
from web.services import audit_events

log = structlog.get_logger()


class SignInRefused(Exception):
    """Wrong credentials or too many attempts. The text is for people; `retry_after` is in seconds, 0 if none."""

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def sign_in(email: str, password: str, ip: str) -> User:
    """Start a session for the person with these credentials. Raise `SignInRefused` if they are wrong.

    After a few failures the next attempt has to wait, longer each time. `web/http/sign_in_delays.py` counts them.
    """
    email = email.replace("\x00", "").strip().lower()[:320]
    browser = known_browsers.known_as(email)
    counters = (
        sign_in_delays.of_known_browser(email, browser) if browser else sign_in_delays.of_unknown_browser(email, ip)
    )
    user = db.session.scalar(select(User).where(User.email == email))
    # Return the connection before the hash is computed: requests that wait for a permit must not exhaust the pool.
    db.session.commit()
    with _delays(counters, ip, "The e-mail address or the password is wrong.", lambda: _record_failure(user)) as guess:
        guess.right = passwords.password_fits(user, password) and user is not None and user.enabled
    assert user is not None, "an unknown account matches no password"
    if passwords.needs_rehash(user.password_hash):
        user.password_hash = _hashed(password)
    user.last_login_at = datetime.now(UTC)
    audit_events.record_for_account(user.id, "session.started", actor=user.id)
    sessions.start(user)
    known_browsers.remember(email)
    return user


def confirm(user: User, password: str, ip: str) -> None:
    """Verify the password of `user`, who is signed in. Raise `SignInRefused` if it is wrong, with delays as in `sign_in`."""
    row = db.session.get(User, user.id)
    stored = row.password_hash if row else None
    db.session.commit()
    counters = sign_in_delays.of_person(user.email, ip)
    with _delays(counters, ip, "The current password is wrong.", lambda: None) as guess:
        guess.right = passwords.matches(stored, password)


def new_hash(password: str) -> str:
    """Return the hash of a new password, without holding a database connection. Raise `SignInRefused` if busy."""
    db.session.commit()
    return _hashed(password)


@dataclass(slots=True)
class _Guess:
    """One attempt at a password."""

    right: bool = False


@contextmanager
def _delays(counters: Sequence[Counter], ip: str, wrong: str, on_failure: Callable[[], None]) -> Iterator[_Guess]:
    """Count one attempt, which the block verifies. Raise `SignInRefused` if it is wrong or has to wait."""
    attempt = sign_in_delays.begin(counters)
    if attempt.wait:
        plural = "" if attempt.wait == 1 else "s"
        raise SignInRefused(f"Too many wrong passwords. Try again in {attempt.wait} second{plural}.", attempt.wait)
    guess = _Guess()
    try:
        yield guess
    except passwords.TooManyAtOnce:
        # The password was not verified, so this is not a failure: a busy server must not lock people out.
        sign_in_delays.take_back(attempt)
        raise _busy() from None
    if not guess.right:
        log.warning("sign_in_failed", ip=ip)
        on_failure()
        raise SignInRefused(wrong, attempt.after)
    sign_in_delays.succeeded(attempt)


def _hashed(password: str) -> str:
    try:
        return passwords.hash_password(password)
    except passwords.TooManyAtOnce:
        raise _busy() from None


def _busy() -> SignInRefused:
    return SignInRefused("Too many people are signing in. Try again in 5 seconds.", 5)


def _record_failure(user: User | None) -> None:
    """Record a wrong password of an existing account in the audit trail of its organisations."""
    if user is not None:
        audit_events.record_for_account(user.id, "session.refused", actor=None)
        db.session.commit()


def sign_out() -> None:
    """End the session of this browser."""
    if (user_id := sessions.present_user_id()) is not None:
        audit_events.record_for_account(user_id, "session.ended", actor=user_id)
    sessions.end_this()
