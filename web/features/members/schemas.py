"""Projects, members, API keys and the audit trail on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from web.api.lists import PageQuery
from web.api.schema import In, Name, Out, Time
from web.features.notification_providers.schemas import clean_email
from web.http import passwords

RoleName = Literal["super_admin", "org_owner", "org_admin", "project_admin", "project_editor", "project_viewer"]
KeyRole = Literal["project_admin", "project_editor", "project_viewer"]


def _fit(password: str) -> str:
    if problem := passwords.problem(password):
        raise ValueError(problem)
    return password


Password = Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST), AfterValidator(_fit)]
Login = Annotated[str, Field(max_length=320), AfterValidator(lambda text: clean_email(text).lower())]


class ProjectIn(In):
    name: Name


class ProjectOut(Out):
    """A project and what the caller is in it."""

    id: UUID
    name: str
    role: RoleName
    created_at: datetime


class MemberIn(In):
    """A person's role: in the present project, or in the whole organisation for the first three roles.

    `password` is needed where the address has no account yet, and refused where it has one.
    """

    email: Login
    role: RoleName
    name: str = Field(default="", max_length=255)
    password: Password | None = None


class MemberChange(In):
    """What changes; `enabled` is the account's, in all projects."""

    role: RoleName | None = None
    enabled: bool | None = None


class RemovalQuery(In):
    """`revokeKeys`: the project's API keys that the person made are revoked, too."""

    revoke_keys: bool = False


class MemberOut(Out):
    """A membership; `id` is its own, not the person's."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    role: RoleName
    enabled: bool
    last_login_at: datetime | None
    created_at: datetime


class SessionOut(Out):
    """One signed-in browser of the caller."""

    id: UUID
    ip: str | None
    user_agent: str | None
    current: bool
    created_at: datetime
    last_seen_at: datetime


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


class AuditQuery(PageQuery):
    action: str | None = Field(default=None, max_length=100)
    object_type: str | None = Field(default=None, max_length=100)
    object_id: UUID | None = None
    user_id: UUID | None = None
    since: Time | None = None
    until: Time | None = None
    scope: Literal["project", "organization"] = Field(
        default="project",
        description="The organisation's trail has its projects, roles, accounts and sign-ins, and what is left of"
        " deleted projects.",
    )


class AuditOut(Out):
    """One event; `actor` is the person's address or the key's name."""

    id: UUID
    action: str
    object_type: str
    object_id: UUID | None
    user_id: UUID | None
    api_key_id: UUID | None
    actor: str | None
    details: dict[str, Any]
    ip: str | None
    correlation_id: str | None
    created_at: datetime
