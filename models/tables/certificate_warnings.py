"""Certificate warnings that were sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, created_now


class CertificateWarning(Base):
    """A warning that a certificate expires soon: sent once per threshold (whole days left; -1: expired) and certificate."""

    __tablename__ = "certificate_warnings"

    monitor_id: Mapped[UUID] = mapped_column(ForeignKey("monitors.id", ondelete="CASCADE"), primary_key=True)
    fingerprint_sha256: Mapped[str] = mapped_column(primary_key=True)
    threshold_days: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = created_now()
