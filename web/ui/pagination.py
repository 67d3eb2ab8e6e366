"""Lists on pages: the page that the address asks for, and links to other pages of the same list."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Flask, request, url_for
from sqlalchemy import Select

from web.http import pagination
from web.http.pagination import MAX_PAGE, Page

Item = TypeVar("Item")


def wanted_number() -> int:
    """Return `?page=` of this request, or 1 if it is not a page number."""
    text = request.args.get("page", "1")
    sensible = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PAGE))
    return max(1, min(int(text), MAX_PAGE)) if sensible else 1


def midnight(text: str) -> datetime | None:
    """Return the start of the day `text` in UTC, or None if it is not a date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Callers add a day, and the day after `date.max` cannot be represented.
    return None if day == date.max else datetime.combine(day, time(), UTC)


def paged(query: Select[Item], size: int) -> Page[Item]:
    """Return the page of `query`'s first column that the address asks for, or the last page if there are fewer."""
    return pagination.fetch_page(query, wanted_number(), size)


def paged_rows(query: Select[*tuple[Any, ...]], size: int) -> Page[Any]:
    """Like `paged`, with whole rows."""
    return pagination.fetch_row_page(query, wanted_number(), size)


def with_query(address: str, *dropped: str, **added: object) -> str:
    """Return `address` with this request's query, without empty and `dropped` arguments, and with those `added`.

    This does not use `url_for`: the client chooses the names in a query, and some are options of `url_for`.
    """
    kept = [(name, value) for name, value in request.args.items(multi=True) if value and name not in {*dropped, *added}]
    query = urlencode([*kept, *added.items()])
    return f"{address}?{query}" if query else address


def page_url(number: int) -> str:
    """Return the address of page `number` of this list, with its filters."""
    return here_with({"page": number})


def here_with(changes: Mapping[str, str | int | None], fragment: str = "") -> str:
    """Return this page's address with `changes` to its arguments; None removes one. `fragment` is an element's id."""
    # A partial that a live update fetches links to the whole page.
    endpoint = (request.endpoint or "").replace(".partial", ".index")
    kept = {name: value for name, value in request.args.items() if value}
    query = {name: value for name, value in {**kept, **changes}.items() if value is not None}
    address = url_for(endpoint, **(request.view_args or {}))
    return address + (f"?{urlencode(query)}" if query else "") + (f"#{fragment}" if fragment else "")


def init_app(app: Flask) -> None:
    """Add to the templates of `app` the functions `page_url`, `with_query` and `here_with`."""
    app.jinja_env.globals.update(page_url=page_url, with_query=with_query, here_with=here_with)
