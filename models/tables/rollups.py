"""Sums of results by hour and by day."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Integer, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base


class _Rollup:
    """Sums of one hour or day at one location (`''` for pings). Times are in milliseconds.

    `histogram` counts response times by the buckets of `models.rules.histogram`; adding two arrays merges two rollups.
    """

    monitor_id: Mapped[UUID]
    location: Mapped[str]
    up: Mapped[int] = mapped_column(server_default="0")
    down: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[int] = mapped_column(server_default="0")
    response_count: Mapped[int] = mapped_column(server_default="0")
    response_sum: Mapped[float] = mapped_column(server_default="0")
    response_min: Mapped[float | None] = mapped_column(REAL)
    response_max: Mapped[float | None] = mapped_column(REAL)
    histogram: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))


class HourlyRollup(_Rollup, Base):
    __tablename__ = "monitor_rollups_hourly"
    __table_args__ = (
        PrimaryKeyConstraint("monitor_id", "hour", "location"),
        # Every check updates one row. Free space on the page allows updates without index changes.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    hour: Mapped[datetime]


class DailyRollup(_Rollup, Base):
    __tablename__ = "monitor_rollups_daily"
    __table_args__ = (PrimaryKeyConstraint("monitor_id", "day", "location"),)

    day: Mapped[date]
