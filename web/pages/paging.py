"""One page of a longer list, for tables of pages; the API has its own shape for the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Flask, request, url_for
from sqlalchemy import Select, func, literal, select

from web.extensions import db

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


def kept_url(endpoint: str, **values: Any) -> str:
    """The address of `endpoint` with `values` and this request's own query; `values` win.

    `endpoint` and names with an underscore in front mean something to Flask's `url_for`: no query may set them.
    """
    kept = {
        name: text for name, text in request.args.items() if text and name != "endpoint" and not name.startswith("_")
    }
    return url_for(endpoint, **{**kept, **values})


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
    """Give the templates of `app` the functions `page_url`, `kept_url` and `here_with`."""
    app.jinja_env.globals.update(page_url=page_url, kept_url=kept_url, here_with=here_with)
