"""Members in the API: requests and responses."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from web.api.schema import In, Out
from web.features.notification_providers.schemas import clean_email
from web.http import passwords

RoleName = Literal["super_admin", "org_owner", "org_admin", "project_admin", "project_editor", "project_viewer"]


def _fit(password: str) -> str:
    if problem := passwords.problem(password):
        raise ValueError(problem)
    return password


Password = Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST), AfterValidator(_fit)]
Login = Annotated[str, Field(max_length=320), AfterValidator(lambda text: clean_email(text).lower())]


class MemberIn(In):
    """A person's role: in the current project, or in the whole organisation for the first three roles.

    `password` is required if the address has no account, and rejected if it has one.
    """

    email: Login
    role: RoleName
    name: str = Field(default="", max_length=255)
    password: Password | None = None


class MemberChange(In):
    """A change of a member. `enabled` applies to the account, in all projects."""

    role: RoleName | None = None
    enabled: bool | None = None


class RemovalQuery(In):
    """`revokeKeys` also revokes the API keys of the project that the person created."""

    revoke_keys: bool = False


class MemberOut(Out):
    """A membership. `id` is that of the membership, not of the person."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    role: RoleName
    enabled: bool
    last_login_at: datetime | None
    created_at: datetime
