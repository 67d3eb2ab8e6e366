"""Variables of projects, for tests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, HasSecrets, created_now, new_id


class Variable(HasSecrets, Base):
    """A named value of a project, for tests. A secret value is encrypted in `secrets`, a plain one is in `value`."""

    __tablename__ = "variables"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[str | None]
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
