"""When pings could be received."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class PingIntake(Base):
    """Since when pings are received without interruption, and when that was last confirmed. It has one row, `web`."""

    __tablename__ = "ping_intake"

    role: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
