"""Members: the roles of users."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class Role(StrEnum):
    """The six roles, the highest first. The first three apply to a whole organization, the others to one project."""

    SUPER_ADMIN = "super_admin"
    ORG_OWNER = "org_owner"
    ORG_ADMIN = "org_admin"
    PROJECT_ADMIN = "project_admin"
    PROJECT_EDITOR = "project_editor"
    PROJECT_VIEWER = "project_viewer"


class Member(Base):
    """The role of a user: in the whole organization if `project_id` is null, else in one project."""

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
