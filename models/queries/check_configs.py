"""The configuration that a worker needs to check a monitor."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from psycopg.rows import class_row

from models.connections.database import Db
from models.secrets import encryption, fields

log = structlog.get_logger(__name__)


class CheckConfig(NamedTuple):
    """`config` contains the decrypted secrets and must stay in memory. It is None if they cannot be decrypted."""

    monitor_id: UUID
    project_id: UUID
    version: int
    type: str
    target: str
    config: dict[str, Any] | None
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
    """Yield the configs of those monitors that still exist."""
    with db.cursor(row_factory=class_row(_Row)) as cursor:
        cursor.execute(
            "SELECT id, project_id, version, type, target, config, secrets FROM monitors WHERE id = ANY(%s)",
            [list(monitor_ids)],
        )
        for row in cursor:
            try:
                config = fields.join(row.config, encryption.decrypt(row.secrets, "monitors", row.id))
            except encryption.DecryptionError as error:
                log.warning("a monitor cannot be checked", monitor_id=str(row.id), error=str(error))
                config = None
            yield CheckConfig(
                row.id, row.project_id, row.version, row.type, row.target, config, row.secrets is not None
            )
