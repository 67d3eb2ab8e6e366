"""The search for monitors, for pages and API."""

from sqlalchemy import ColumnElement, func, or_

from models.tables import Monitor


def mentions(words: str) -> ColumnElement[bool]:
    """Match monitors whose name, target, description or tags contain `words`, ignoring case."""
    columns = (Monitor.name, Monitor.target, Monitor.description, func.array_to_string(Monitor.tags, "\n"))
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
