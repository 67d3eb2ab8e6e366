"""Sessions: a row for each signed-in browser, which its person or an administrator can end.

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
    """The person of a session, as Flask-Login wants it; `user` and `session_id` are the rows'."""

    def __init__(self, user: User, session_id: UUID, token: str) -> None:
        self.user = user
        self.session_id = session_id
        self._token = token

    def get_id(self) -> str:
        """The token: what Flask-Login puts into the browser's cookie."""
        return self._token


def hash_of(token: str) -> bytes:
    """What `user_sessions.token_hash` holds: tokens are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(token: str) -> SignedIn | None:
    row = db.session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == hash_of(token),
            _lasts(),
            User.enabled,
        )
    ).one_or_none()
    if row is None:
        return None
    found, user = row
    _mark_seen(found)
    return SignedIn(user, found.id, token)


def _mark_seen(found: UserSession) -> None:
    """Remember the last use to the minute only: a write per request would cost more than the request."""
    now = datetime.now(UTC)
    if now - found.seen_at > _SEEN_REMEMBERED:
        values = {"seen_at": now, "ip": request.remote_addr}
        db.session.execute(update(UserSession).where(UserSession.id == found.id).values(**values))
        db.session.commit()


def start(user: User) -> None:
    """Make this browser's session that of `user`, who has proved to be themselves. Commits."""
    # A session that this browser had before ends: signing in again must not leave it usable.
    end_this()
    token = secrets.token_urlsafe(32)
    agent = request.user_agent.string[:_LONGEST_USER_AGENT]
    row = UserSession(user_id=user.id, token_hash=hash_of(token), ip=request.remote_addr, user_agent=agent or None)
    db.session.add(row)
    db.session.commit()
    session.permanent = True
    login_user(SignedIn(user, row.id, token))


def end_this() -> None:
    """End the session of this browser, here and on the server. Commits."""
    token = session.get("_user_id")
    if token:
        db.session.execute(delete(UserSession).where(UserSession.token_hash == hash_of(str(token))))
        db.session.commit()
    logout_user()
    session.clear()  # nothing of one session lives on in another


def of(user_id: UUID) -> Sequence[UserSession]:
    """The person's sessions that are not over, the last used first."""
    return db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, _lasts())
        .order_by(UserSession.seen_at.desc(), UserSession.id)
    ).all()


def number_of(user_id: Any) -> ScalarSelect[int]:
    """How many sessions the person of the column `user_id` has that are not over, as a part of a statement."""
    return select(func.count()).where(UserSession.user_id == user_id, _lasts()).scalar_subquery()


def _lasts() -> ColumnElement[bool]:
    """Whether a session is not over."""
    return and_(UserSession.seen_at > func.now() - IDLE, UserSession.created_at > func.now() - LONGEST)


def present_id() -> UUID | None:
    """The id of this browser's session; None if the request was signed with an API key or with nothing."""
    return current_user.session_id if current_user.is_authenticated else None


def present_user_id() -> UUID | None:
    """The id of the person who is signed in at this browser."""
    return current_user.user.id if current_user.is_authenticated else None


def end_one(user_id: UUID, session_id: UUID) -> bool:
    """End one session of the person; answers whether there was one. Does not commit."""
    return _count(delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id)) > 0


def end_all(user_id: UUID, *, but: UUID | None = None) -> int:
    """End the person's sessions, except the one with the id `but`; answers how many. Does not commit."""
    wanted = delete(UserSession).where(UserSession.user_id == user_id)
    return _count(wanted if but is None else wanted.where(UserSession.id != but))


def _count(statement: Delete) -> int:
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount
