"""Tags in the API: requests and responses."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from web.api.schema import In, Out
from web.features.monitors.schemas import clean_tag

TagName = Annotated[str, Field(min_length=1, max_length=50), AfterValidator(clean_tag)]


class TagIn(In):
    """A tag and the monitors that get it."""

    name: TagName
    monitor_ids: list[UUID] = Field(min_length=1, max_length=1000)


class TagRename(In):
    name: TagName


class TagOut(Out):
    name: str
    monitors: int
