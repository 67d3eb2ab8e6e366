"""What a worker needs to know of a monitor to check it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from psycopg.rows import class_row

from models.connections.database import Db
from models.secrets import encryption, fields

log = structlog.get_logger(__name__)


class CheckConfig(NamedTuple):
    """`config` holds the secrets in the clear: it stays in this process's memory. None where they do not open."""

    monitor_id: UUID
    project_id: UUID
    version: int
    type: str
    target: str
    config: dict[str, Any] | None
    #: Whether the row holds secrets.
    has_secrets: bool


class _Row(NamedTuple):
    id: UUID
    project_id: UUID
    version: int
    type: str
    target: str
    config: dict[str, Any]
    secrets: bytes | None


def load(db: Db, monitor_ids: Iterable[UUID]) -> Iterator[CheckConfig]:
    """The configs of those monitors that still exist."""
    with db.cursor(row_factory=class_row(_Row)) as cursor:
        cursor.execute(
            "SELECT id, project_id, version, type, target, config, secrets FROM monitors WHERE id = ANY(%s)",
            [list(monitor_ids)],
        )
        for row in cursor:
            try:
                whole = fields.join(row.config, encryption.decrypt(row.secrets, "monitors", row.id))
            except encryption.DecryptionError as error:
                log.warning("a monitor cannot be checked", monitor_id=str(row.id), error=str(error))
                whole = None
            yield CheckConfig(row.id, row.project_id, row.version, row.type, row.target, whole, row.secrets is not None)
