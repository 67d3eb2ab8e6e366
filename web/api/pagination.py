"""Pages of lists in the API: the query of every list, and the shape of every response."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import Field

from web.api.schema import In, Out
from web.http.pagination import MAX_PAGE, page_count

Item = TypeVar("Item", bound=Out)


class PageQuery(In):
    """The requested page, counted from 1."""

    page: int = Field(default=1, ge=1, le=MAX_PAGE)
    limit: int = Field(default=10, ge=1, le=100)

    @property
    def offset(self) -> int:
        """Return how many rows come before the page."""
        return (self.page - 1) * self.limit


class Pagination(Out):
    """The position of a page in its list."""

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
    """Return the page that `query` asked for: `items` out of `total`."""
    pages = page_count(total, query.limit)
    # The route declares the item type. Building a page needs none.
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
