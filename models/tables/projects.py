"""Projects of an organization."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.tables.base import Base, created_now, new_id
from models.tables.organizations import Organization


class Project(Base):
    """The scope of everything that users create."""

    __tablename__ = "projects"

    id: Mapped[UUID] = new_id()
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = created_now()

    organization: Mapped[Organization] = relationship()
