"""Tests (Playwright scripts)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now, new_id


class Test(Base):
    """A Playwright script."""

    __tablename__ = "tests"

    id: Mapped[UUID] = new_id()
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    script: Mapped[str]
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
