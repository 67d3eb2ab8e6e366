"""Which monitors a text finds; the pages and the API ask the same."""

from sqlalchemy import ColumnElement, func, or_

from models.tables import Monitor


def mentions(words: str) -> ColumnElement[bool]:
    """Whether a monitor's name, target, description or one of its tags contains `words`, in any case."""
    columns = (Monitor.name, Monitor.target, Monitor.description, func.array_to_string(Monitor.tags, "\n"))
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
