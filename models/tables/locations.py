"""Check locations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now


class Location(Base):
    """A location that checks run from. `position` orders them; the first enabled one is the default."""

    __tablename__ = "locations"
    __table_args__ = (CheckConstraint("code ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'", name="code"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    position: Mapped[int] = mapped_column(server_default="0")
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_now()
