"""Sessions in the API: responses."""

from datetime import datetime
from uuid import UUID

from web.api.schema import Out


class SessionOut(Out):
    """One signed-in browser of the caller."""

    id: UUID
    ip: str | None
    user_agent: str | None
    current: bool
    created_at: datetime
    last_seen_at: datetime
