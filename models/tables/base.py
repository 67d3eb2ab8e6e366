"""The declarative base: naming convention, type map, common columns."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, MetaData, Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table. Times are aware and UTC, ids are generated before the insert, text has no length limit."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own protocol
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        UUID: Uuid,
    }


class HasSecrets:
    """Columns of a row with encrypted secrets: the ciphertext, when the secrets last changed, when they were last encrypted.

    A key rotation encrypts secrets without changing them. The columns are null if the row has no secrets, the times also
    if the secrets are older than these columns.
    """

    secrets: Mapped[bytes | None]
    secrets_changed_at: Mapped[datetime | None]
    secrets_encrypted_at: Mapped[datetime | None]


def new_id() -> Mapped[UUID]:
    """Return a primary key that is generated before the insert, because ciphertexts are bound to it."""
    return mapped_column(primary_key=True, default=uuid4)


def created_now() -> Mapped[datetime]:
    """Return a column with the creation time of the row, by the clock of the database."""
    return mapped_column(server_default=func.now())
