"""Who may do what: organisations, projects, people, keys, and what they did."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.tables.base import Base, Sealed, created_now, new_id


class Role(StrEnum):
    """The six roles, the mightiest first. The first three hold for a whole organisation, the others for one project."""

    SUPER_ADMIN = "super_admin"
    ORG_OWNER = "org_owner"
    ORG_ADMIN = "org_admin"
    PROJECT_ADMIN = "project_admin"
    PROJECT_EDITOR = "project_editor"
    PROJECT_VIEWER = "project_viewer"


class Organization(Base):
    __tablename__ = "organizations"

    id: Mapped[UUID] = new_id()
    name: Mapped[str]
    created_at: Mapped[datetime] = created_now()


class Project(Base):
    """The scope of everything that users make."""

    __tablename__ = "projects"

    id: Mapped[UUID] = new_id()
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = created_now()

    organization: Mapped[Organization] = relationship()


class User(Base):
    """A person who signs in. `email` is stored in lower case; `password_hash` is argon2id."""

    __tablename__ = "users"

    id: Mapped[UUID] = new_id()
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    #: Not read since sessions are rows; kept so that web processes of the version before can run during an upgrade.
    session_epoch: Mapped[int] = mapped_column(server_default="0")
    #: Somebody else chose the password: its owner must choose another one before doing anything else.
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    #: The person or API key that made the account with a password of their choice. Null if its owner is known to hold
    #: it: an operator made it on the command line. No foreign key, because either kind of id may stand here.
    prepared_by: Mapped[UUID | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()


class UserSession(Base):
    """One browser in which a person is signed in. It ends after a time without use, at its latest time, or by deletion."""

    __tablename__ = "user_sessions"

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    #: SHA-256 of the random token in the browser's signed cookie.
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    seen_at: Mapped[datetime] = created_now()


class Member(Base):
    """One person's role: in a whole organisation where `project_id` is null, else in one project."""

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(str(role)) for role in Role)})", name="role"),
        Index(
            "uq_members_scope", "user_id", "organization_id", text("coalesce(project_id, organization_id)"), unique=True
        ),
    )

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    created_at: Mapped[datetime] = created_now()


class ApiKey(Base):
    """A program's key to one project. Only its SHA-256 is kept: the keys are long and random."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    #: The first characters, shown so that people can tell keys apart.
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(server_default=Role.PROJECT_EDITOR.value)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()


class Variable(Sealed, Base):
    """A project's named value for tests; a secret one is sealed in `secrets`, a plain one stands in `value`."""

    __tablename__ = "variables"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class AuditEvent(Base):
    """Who did what to which object; append-only (a trigger refuses updates and deletes).

    `project_id` is null for what concerns the organisation: its projects, its roles, its people's accounts and sign-ins.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_project", "project_id", text("created_at DESC")),
        Index("ix_audit_events_organization", "organization_id", text("created_at DESC")),
    )

    id: Mapped[UUID] = new_id()
    organization_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    ip: Mapped[str | None]
    correlation_id: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()


class IdempotencyKey(Base):
    """What a creating request with an `Idempotency-Key` answered, so that its repetition answers the same."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    #: An HMAC under a key of the installation: bodies may hold passwords, which a plain hash would let one guess.
    request_hash: Mapped[bytes]
    response_status: Mapped[int]
    response_body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
