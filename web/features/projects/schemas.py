"""Projects in the API: requests and responses."""

from datetime import datetime
from uuid import UUID

from web.api.schema import In, Name, Out
from web.features.members.schemas import RoleName


class ProjectIn(In):
    name: Name


class ProjectOut(Out):
    """A project and the caller's role in it."""

    id: UUID
    name: str
    role: RoleName
    created_at: datetime
