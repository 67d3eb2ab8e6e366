"""API keys in the API: requests and responses."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from web.api.schema import In, Name, Out, Time
from web.features.members.schemas import RoleName

KeyRole = Literal["project_admin", "project_editor", "project_viewer"]


class ApiKeyIn(In):
    name: Name
    role: KeyRole = "project_editor"
    expires_at: Time | None = None


class ApiKeyOut(Out):
    """A key, told apart by its first characters: the whole of it is shown once, when it is made."""

    id: UUID
    name: str
    prefix: str
    role: RoleName
    last_used_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    created_by: str | None = Field(description="The maker's address; null for keys of the command line.")
    creator_is_member: bool = Field(
        description="Whether the maker still has a role here. A key is never mightier than a maker who has one."
    )


class NewApiKeyOut(ApiKeyOut):
    """A fresh key; `key` is null where the answer repeats an earlier one."""

    key: str | None
