"""One page of a statement's rows, and how many there are."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, func, literal, select

from web.api.lists import PageQuery
from web.http.extensions import db

Row = TypeVar("Row")
#: Beyond this many, rows are not counted: `total` stays there.
COUNT_CAP = 100_000


def fetch(query: Select[Row], page: PageQuery) -> tuple[Sequence[Row], int]:
    """The rows (the statement's first column) of `page`, and the number of all; `query` brings its order."""
    rows = db.session.scalars(query.limit(page.limit).offset(page.offset)).unique().all()
    if len(rows) < page.limit and (rows or page.page == 1):
        return rows, page.offset + len(rows)  # the last page knows the number
    return rows, count(query)


def count(query: Select[*tuple[Any, ...]]) -> int:
    """How many rows `query` has, up to `COUNT_CAP`."""
    bare = query.order_by(None).with_only_columns(literal(1), maintain_column_froms=True).limit(COUNT_CAP)
    return db.session.scalar(select(func.count()).select_from(bare.subquery())) or 0
