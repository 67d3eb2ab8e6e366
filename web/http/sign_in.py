"""Signing in: the password is judged, with delays after failures, and a session begins."""

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
    """Wrong credentials, or too many tries; `str()` is for the page. `retry_after` is seconds, 0 where none to wait."""

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def sign_in(email: str, password: str, ip: str) -> User:
    """Start a session for the person with these credentials. Raises `SignInRefused`.

    After a few failures the next try has to wait, longer each time; see `web/http/sign_in_delays.py` for what is counted.
    """
    email = email.replace("\x00", "").strip().lower()[:320]
    browser = known_browsers.known_as(email)
    counters = sign_in_delays.of_known_browser(email, browser) if browser else sign_in_delays.of_stranger(email, ip)
    user = db.session.scalar(select(User).where(User.email == email))
    # The connection goes back before the hash is computed: those who wait for their turn must not hold the pool.
    db.session.commit()
    with _delays(counters, ip, "The e-mail address or the password is wrong.", lambda: _note_failure(user)) as guess:
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
    """Make sure that the person at this browser is `user`. Raises `SignInRefused`, with delays like those of `sign_in`."""
    row = db.session.get(User, user.id)
    stored = row.password_hash if row else None
    db.session.commit()
    counters = sign_in_delays.of_person(user.email, ip)
    with _delays(counters, ip, "This is not your present password.", lambda: None) as guess:
        guess.right = passwords.matches(stored, password)


def new_hash(password: str) -> str:
    """The hash of a new password, computed without holding a database connection. Raises `SignInRefused`."""
    db.session.commit()
    return _hashed(password)


@dataclass(slots=True)
class _Guess:
    """One try at a password."""

    right: bool = False


@contextmanager
def _delays(counters: Sequence[Counter], ip: str, wrong: str, on_failure: Callable[[], None]) -> Iterator[_Guess]:
    """One try, judged inside. Raises `SignInRefused`: with `wrong`, or at once while the try has to wait."""
    attempt = sign_in_delays.begin(counters)
    if attempt.wait:
        plural = "" if attempt.wait == 1 else "s"
        raise SignInRefused(f"Too many wrong passwords. Try again in {attempt.wait} second{plural}.", attempt.wait)
    guess = _Guess()
    try:
        yield guess
    except passwords.TooManyAtOnce:
        # The password was not judged, so this is no failure: a crowd at the door must not lock out who waits in it.
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
    return SignInRefused("Too many people sign in at this moment. Try again in 5 seconds.", 5)


def _note_failure(user: User | None) -> None:
    """Put a wrong password for an account that exists into its organisations' audit trail."""
    if user is not None:
        audit_events.record_for_account(user.id, "session.refused", actor=None)
        db.session.commit()


def sign_out() -> None:
    """End the session of this browser."""
    if (user_id := sessions.present_user_id()) is not None:
        audit_events.record_for_account(user_id, "session.ended", actor=user_id)
    sessions.end_this()
