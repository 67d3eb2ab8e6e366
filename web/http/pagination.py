"""Pages of long lists: the rows of one page, and how many rows there are. The API and the pages both use it.

`web.api.pagination` describes a page in JSON. `web.ui.pagination` reads the page number from the address and writes links.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Select, func, literal, select

from web.http.extensions import db

Row = TypeVar("Row")
#: The API does not count further: `total` then stays at this number.
COUNT_CAP = 100_000
#: The highest page number that is accepted.
MAX_PAGE = 1_000_000


class PageRequest(Protocol):
    """The requested page: its number, counted from 1, its size, and how many rows come before it."""

    page: int
    limit: int

    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Page `number` of a list of `total` rows; `first` and `last` are the positions of its rows, counted from 1."""

    items: Sequence[Row]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, page_count(self.total, self.size))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)


def page_count(total: int, size: int) -> int:
    """Return how many pages `total` rows fill."""
    return -(-total // size)


def fetch(query: Select[Row], wanted: PageRequest) -> tuple[Sequence[Row], int]:
    """Return the first column of the rows on the page `wanted`, and the number of all rows. `query` sets the order."""
    rows = db.session.scalars(query.limit(wanted.limit).offset(wanted.offset)).unique().all()
    if len(rows) < wanted.limit and (rows or wanted.page == 1):
        return rows, wanted.offset + len(rows)  # the last page: no count is needed
    return rows, count(query)


def count(query: Select[*tuple[Any, ...]], cap: int | None = COUNT_CAP) -> int:
    """Return how many rows `query` has, at most `cap`."""
    bare = query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True).limit(cap)
    return db.session.scalar(select(func.count()).select_from(bare.subquery())) or 0


def fetch_page(query: Select[Row], number: int, size: int) -> Page[Row]:
    """Return page `number` of the first column of `query`, or the last page if there are fewer."""
    number, total = _existing(query, number, size)
    wanted = query.limit(size).offset((number - 1) * size)
    return Page(db.session.scalars(wanted).unique().all(), number, size, total)


def fetch_row_page(query: Select[*tuple[Any, ...]], number: int, size: int) -> Page[Any]:
    """Like `fetch_page`, with whole rows."""
    number, total = _existing(query, number, size)
    return Page(db.session.execute(query.limit(size).offset((number - 1) * size)).all(), number, size, total)


def _existing(query: Any, number: int, size: int) -> tuple[int, int]:
    """Return the number of a page that exists, and the number of all rows."""
    total = count(query, cap=None)
    return min(number, max(1, page_count(total, size))), total
