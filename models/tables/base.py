"""The declarative base: one naming convention, one type map."""

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
    """Every table. Times are aware and UTC, ids are made before the insert, text has no length limit of its own."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own protocol
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        UUID: Uuid,
    }


class HasSecrets:
    """What a row with encrypted secrets keeps of them: the ciphertext, since when they are what they are, and when they
    were last encrypted, by a change or by a rotation of the key. Null where there are none, or from before the times were kept.
    """

    secrets: Mapped[bytes | None]
    secrets_changed_at: Mapped[datetime | None]
    secrets_encrypted_at: Mapped[datetime | None]


def new_id() -> Mapped[UUID]:
    """A primary key made by us, so that it can be bound into ciphertexts before the insert."""
    return mapped_column(primary_key=True, default=uuid4)


def created_now() -> Mapped[datetime]:
    """When the row was made, by the database's clock."""
    return mapped_column(server_default=func.now())
