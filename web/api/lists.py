"""Lists: which page was asked for, and the shape of every page."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from web.api.schema import In, Out

Item = TypeVar("Item", bound=Out)


class PageQuery(In):
    """The page wanted, counted from 1."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=10, ge=1, le=100)

    @property
    def offset(self) -> int:
        """How many rows lie before the page."""
        return (self.page - 1) * self.limit


class Pagination(Out):
    """Where a page stands in its list."""

    page: int
    limit: int
    total: int
    total_pages: int
    has_next_page: bool
    has_prev_page: bool


class Page(Out, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    pagination: Pagination


def page_of(items: Sequence[Item], query: PageQuery, total: int) -> Page[Item]:
    """`items`, the rows of the page that `query` asked for, out of `total`."""
    pages = -(-total // query.limit)
    # The model is made once for each item type by the route that declares it; building needs no type.
    return Page(
        data=list(items),
        pagination=Pagination(
            page=query.page,
            limit=query.limit,
            total=total,
            total_pages=pages,
            has_next_page=query.page < pages,
            has_prev_page=query.page > 1,
        ),
    )
