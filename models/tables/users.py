"""Users and their browser sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class User(Base):
    """A user who signs in. `email` is stored in lower case; `password_hash` is argon2id."""

    __tablename__ = "users"

    id: Mapped[UUID] = new_id()
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    #: No longer read, because sessions are rows; kept so that web processes of the previous version can run during an upgrade.
    session_epoch: Mapped[int] = mapped_column(server_default="0")
    #: Another user chose the password: the owner must change it before doing anything else.
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    #: The user or API key that created the account and chose its password. Null if an operator created it on the command
    #: line. No foreign key, because it holds either kind of id.
    prepared_by: Mapped[UUID | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()


class UserSession(Base):
    """A browser session. It ends after a time without use, at its maximum age, or by deletion."""

    __tablename__ = "user_sessions"

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    #: SHA-256 of the random token in the browser's signed cookie.
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    seen_at: Mapped[datetime] = created_now()
