"""Sessions: one row for each signed-in browser. The person or an administrator can end it.

The browser's signed cookie holds a random token; the row holds its hash. Deleting the row signs the browser out.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import request, session
from flask_login import UserMixin, current_user, login_user, logout_user
from sqlalchemy import ColumnElement, CursorResult, Delete, ScalarSelect, and_, delete, func, select, update

from models.rules.sessions import IDLE, LONGEST
from models.tables import User, UserSession
from web.http.extensions import db, login_manager

_SEEN_REMEMBERED = timedelta(minutes=1)
_LONGEST_USER_AGENT = 300


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person of a session, in the form that Flask-Login needs."""

    def __init__(self, user: User, session_id: UUID, token: str) -> None:
        self.user = user
        self.session_id = session_id
        self._token = token

    def get_id(self) -> str:
        """Return the token, which Flask-Login stores in the browser's cookie."""
        return self._token


def hash_of(token: str) -> bytes:
    """Return the value of `user_sessions.token_hash`. Tokens are long and random, so plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(token: str) -> SignedIn | None:
    row = db.session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == hash_of(token),
            _is_active(),
            User.enabled,
        )
    ).one_or_none()
    if row is None:
        return None
    user_session, user = row
    _mark_seen(user_session)
    return SignedIn(user, user_session.id, token)


def _mark_seen(user_session: UserSession) -> None:
    """Store the last use, at most once a minute: a write for each request would cost more than the request."""
    now = datetime.now(UTC)
    if now - user_session.seen_at > _SEEN_REMEMBERED:
        values = {"seen_at": now, "ip": request.remote_addr}
        db.session.execute(update(UserSession).where(UserSession.id == user_session.id).values(**values))
        db.session.commit()


def start(user: User) -> None:
    """Start a session of this browser for `user`, whose password was verified. This commits."""
    # End the browser's former session, so that it is not usable after another sign-in.
    end_this()
    token = secrets.token_urlsafe(32)
    agent = request.user_agent.string[:_LONGEST_USER_AGENT]
    row = UserSession(user_id=user.id, token_hash=hash_of(token), ip=request.remote_addr, user_agent=agent or None)
    db.session.add(row)
    db.session.commit()
    session.permanent = True
    login_user(SignedIn(user, row.id, token))


def end_this() -> None:
    """End the session of this browser, in its cookie and in the database. This commits."""
    token = session.get("_user_id")
    if token:
        db.session.execute(delete(UserSession).where(UserSession.token_hash == hash_of(str(token))))
        db.session.commit()
    logout_user()
    session.clear()  # the next session starts empty


def of(user_id: UUID) -> Sequence[UserSession]:
    """Return the person's active sessions, the most recently used first."""
    return db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, _is_active())
        .order_by(UserSession.seen_at.desc(), UserSession.id)
    ).all()


def number_of(user_id: Any) -> ScalarSelect[int]:
    """Return a subquery: the number of active sessions of the person in the column `user_id`."""
    return select(func.count()).where(UserSession.user_id == user_id, _is_active()).scalar_subquery()


def _is_active() -> ColumnElement[bool]:
    """Match sessions that have not expired."""
    return and_(UserSession.seen_at > func.now() - IDLE, UserSession.created_at > func.now() - LONGEST)


def present_id() -> UUID | None:
    """Return the id of this browser's session, or None if no user is signed in."""
    return current_user.session_id if current_user.is_authenticated else None


def present_user_id() -> UUID | None:
    """Return the id of the person who is signed in with this browser, or None."""
    return current_user.user.id if current_user.is_authenticated else None


def end_one(user_id: UUID, session_id: UUID) -> bool:
    """End one session of the person. Return whether it existed. This does not commit."""
    return _count(delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id)) > 0


def end_all(user_id: UUID, *, but: UUID | None = None) -> int:
    """End the person's sessions, except the one with the id `but`. Return how many. This does not commit."""
    statement = delete(UserSession).where(UserSession.user_id == user_id)
    return _count(statement if but is None else statement.where(UserSession.id != but))


def _count(statement: Delete) -> int:
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount
