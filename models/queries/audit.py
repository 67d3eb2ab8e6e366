"""The audit log, as far as processes write it: what people do is recorded by `web/services/audit_events.py`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from models.connections.database import Db


class CredentialUse(NamedTuple):
    """Whose stored credentials were opened and what for; by a program or person where one asked, else by the process itself.

    `object_type` is `monitor` or `provider`.
    """

    object_type: str
    object_id: UUID
    purpose: str
    user_id: UUID | None = None
    api_key_id: UUID | None = None


#: Its project is looked up here; what was deleted meanwhile belongs to none.
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
    """One event `credential.used` for each; the second of a pair are its details, JSON types without any secret."""
    if uses:
        db.execute(
            _ADD_USES,
            {
                "types": [one.object_type for one, _ in uses],
                "ids": [one.object_id for one, _ in uses],
                "users": [one.user_id for one, _ in uses],
                "keys": [one.api_key_id for one, _ in uses],
                "details": [json.dumps({"purpose": one.purpose, **details}) for one, details in uses],
            },
        )
