"""When pings could be received."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class Attendance(Base):
    """Since when somebody has taken pings without a break, and when that was last certain; one row, `web`."""

    __tablename__ = "attendance"

    role: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
