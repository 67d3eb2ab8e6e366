"""One page of a longer list, for tables of pages; the API has its own shape for the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Flask, request, url_for
from sqlalchemy import Select, func, literal, select

from web.http.extensions import db

Item = TypeVar("Item")
#: No list has more pages.
_LAST = 1_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`items` are those of page `number` (from 1); `first` and `last` count from 1 over the whole list."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)


def wanted_number() -> int:
    """`?page=` of this request; nonsense is page 1."""
    text = request.args.get("page", "1")
    sensible = text.isascii() and text.isdigit() and len(text) <= len(str(_LAST))
    return max(1, min(int(text), _LAST)) if sensible else 1


def midnight(text: str) -> datetime | None:
    """The beginning of a day in UTC; None for nonsense, which counts as nothing asked."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # The last day there is has no end that could be written down.
    return None if day == date.max else datetime.combine(day, time(), UTC)


def paged(query: Select[Item], size: int) -> Page[Item]:
    """The page of `query`'s first column that this request asks for; the last one where it asks for more."""
    number, total, wanted = _cut(query, size)
    return Page(db.session.scalars(wanted).unique().all(), number, size, total)


def paged_rows(query: Select[*tuple[Any, ...]], size: int) -> Page[Any]:
    """The same with whole rows."""
    number, total, wanted = _cut(query, size)
    return Page(db.session.execute(wanted).all(), number, size, total)


def _cut(query: Any, size: int) -> tuple[int, int, Any]:
    """(page number, rows in all, the statement for that page's rows)."""
    counted = query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True)
    total = db.session.scalar(select(func.count()).select_from(counted.subquery())) or 0
    number = min(wanted_number(), max(1, -(-total // size)))
    return number, total, query.limit(size).offset((number - 1) * size)


def with_query(address: str, *dropped: str, **added: object) -> str:
    """`address` with the query of this request, without the empty and `dropped` arguments, and with those `added`.

    The names in a query are anybody's: handed to `url_for`, some of them would be its own options.
    """
    kept = [(name, value) for name, value in request.args.items(multi=True) if value and name not in {*dropped, *added}]
    query = urlencode([*kept, *added.items()])
    return f"{address}?{query}" if query else address


def page_url(number: int) -> str:
    """The address of this list's page `number`, filters kept."""
    return here_with({"page": number})


def here_with(changes: Mapping[str, str | int | None], place: str = "") -> str:
    """This page's address with other arguments; None removes one. `place` is the id of an element to go to."""
    # A part that a live update renewed links to the whole page.
    endpoint = (request.endpoint or "").replace(".partial", ".index")
    kept = {name: value for name, value in request.args.items() if value}
    query = {name: value for name, value in {**kept, **changes}.items() if value is not None}
    address = url_for(endpoint, **(request.view_args or {}))
    return address + (f"?{urlencode(query)}" if query else "") + (f"#{place}" if place else "")


def init_app(app: Flask) -> None:
    """Give the templates of `app` the functions `page_url`, `with_query` and `here_with`."""
    app.jinja_env.globals.update(page_url=page_url, with_query=with_query, here_with=here_with)
