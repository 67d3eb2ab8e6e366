"""Organizations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from models.tables.base import Base, created_now, new_id


class Organization(Base):
    __tablename__ = "organizations"

    id: Mapped[UUID] = new_id()
    name: Mapped[str]
    created_at: Mapped[datetime] = created_now()
