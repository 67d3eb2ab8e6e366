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
    """A key, identified by its first characters. The whole key is shown once, when it is created."""

    id: UUID
    name: str
    prefix: str
    role: RoleName
    last_used_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    created_by: str | None = Field(description="The creator's address; null for keys of the command line.")
    creator_is_member: bool = Field(
        description="Whether the creator is still a member. While they are, the key's role is at most theirs."
    )


class NewApiKeyOut(ApiKeyOut):
    """A new key. `key` is null if the response repeats an earlier one."""

    key: str | None
