"""Audit events that processes write. `web/services/audit_events.py` records the actions of users."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from models.connections.database import Db


class CredentialUse(NamedTuple):
    """The stored credentials of one object were decrypted for a purpose, by a user, an API key or the process itself.

    `object_type` is `monitor` or `provider`.
    """

    object_type: str
    object_id: UUID
    purpose: str
    user_id: UUID | None = None
    api_key_id: UUID | None = None


#: The project is looked up here. If the object was deleted by then, the event has no project.
_ADD_USES = """
INSERT INTO audit_events (id, organization_id, project_id, user_id, api_key_id, action, object_type, object_id, details)
SELECT gen_random_uuid(), j.organization_id, j.id, u.user_id, u.api_key_id, 'credential.used',
       u.object_type, u.object_id, u.details::jsonb
FROM unnest(%(types)s::text[], %(ids)s::uuid[], %(users)s::uuid[], %(keys)s::uuid[], %(details)s::text[])
     AS u(object_type, object_id, user_id, api_key_id, details)
LEFT JOIN monitors m ON u.object_type = 'monitor' AND m.id = u.object_id
LEFT JOIN notification_providers p ON u.object_type = 'provider' AND p.id = u.object_id
LEFT JOIN projects j ON j.id = coalesce(m.project_id, p.project_id)
"""


def add_credential_uses(db: Db, uses: Sequence[tuple[CredentialUse, Mapping[str, Any]]]) -> None:
    """Add one event `credential.used` per pair of use and details. Details are JSON types without secrets."""
    if uses:
        db.execute(
            _ADD_USES,
            {
                "types": [use.object_type for use, _ in uses],
                "ids": [use.object_id for use, _ in uses],
                "users": [use.user_id for use, _ in uses],
                "keys": [use.api_key_id for use, _ in uses],
                "details": [json.dumps({"purpose": use.purpose, **details}) for use, details in uses],
            },
        )
