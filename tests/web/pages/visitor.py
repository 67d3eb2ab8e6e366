"""A person at a browser without scripts: follows links, fills in the forms that pages show, posts what they would post."""

import re
from contextvars import Context
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from models.tables import User
from tests import factories
from tests.factories import PASSWORD

Values = MultiDict[str, str]


@dataclass
class Visitor:
    """One browser with its session."""

    client: FlaskClient

    def sign_in(self, email: str, password: str = PASSWORD, wanted: str = "/login") -> TestResponse:
        return self.submit(wanted, email=email, password=password)

    def become(self, user: User) -> None:
        """Be signed in without the cost of a password."""
        token = factories.a_session(user)
        with self.client.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True

    def open(self, path: str, method: str = "GET", data: Any = None) -> TestResponse:
        """The bare answer."""
        # A context of its own: the test's application context must not lend the request its session and its `g`.
        return Context().run(self.client.open, path, method=method, data=data, buffered=True)

    def get(self, path: str, status: int = 200) -> str:
        """The page, which must have `status`."""
        answer = self.open(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.text

    def form(self, path: str, action: str | None = None) -> Values:
        """What the page's form (the one with that action) would post untouched."""
        return form_of(self.get(path), action)

    def post(self, path: str, page: str = "/", **values: Any) -> TestResponse:
        """Post `values` with the CSRF token that `page` holds."""
        token = form_of(self.get(page))["csrf_token"]
        return self.open(path, "POST", {**values, "csrf_token": token})

    def submit(self, path: str, **changes: Any) -> TestResponse:
        """Fill `changes` into the form that the page at `path` shows and post it there."""
        values = self.form(path)
        for name, value in changes.items():
            values.setlist(name, value if isinstance(value, list) else [value])
        return self.open(path, "POST", values)


_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LOCAL_TIME = re.compile(r"[0-9]{4,}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?")
_HTML_BLANKS = "\t\n\f\r "


def _sanitized(kind: str, value: str) -> str:
    """`value` as an input of this type holds it, by HTML's value sanitization algorithms."""
    if kind == "hidden":
        return value
    value = value.replace("\r", "").replace("\n", "")
    if kind in ("url", "email"):
        return value.strip(_HTML_BLANKS)
    if kind == "number":
        return value if _NUMBER.fullmatch(value) else ""
    if kind == "datetime-local":
        return value if _LOCAL_TIME.fullmatch(value) else ""
    return value


def _submitted(value: str) -> str:
    """`value` as an entry of a form is sent: every line end is CR LF."""
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


@dataclass
class _Forms(HTMLParser):
    """The POST forms of a page, each with the entries that a browser would send if nothing was touched."""

    forms: list[tuple[str, Values]] = field(default_factory=list)
    select: str | None = None
    area: str | None = None
    text: str = ""
    options: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form" and given.get("method") == "post":
            self.forms.append((given.get("action") or "", MultiDict()))
        elif tag == "input" and name and self.forms and self._posts(given):
            value = given.get("value")
            kind = (given.get("type") or "text").lower()
            checkable = kind in ("checkbox", "radio")
            self._add(name, (value if value is not None else "on") if checkable else _sanitized(kind, value or ""))
        elif tag == "select":
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((given.get("value") or "", "selected" in given))
        elif tag == "textarea" and name:
            self.area, self.text = name, ""

    def _add(self, name: str, value: str) -> None:
        self.forms[-1][1].add(_submitted(name), _submitted(value))

    @staticmethod
    def _posts(given: dict[str, str | None]) -> bool:
        if "disabled" in given:
            return False
        return given.get("type") not in ("checkbox", "radio") or "checked" in given

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            # The parser drops a line end right behind the tag.
            self._add(self.area, self.text.removeprefix("\n"))
            self.area = None
        elif tag == "select" and self.select:
            chosen = [value for value, selected in self.options if selected] or [v for v, _ in self.options[:1]]
            if chosen and self.forms:
                self._add(self.select, chosen[-1])
            self.select = None


#: Forms of the layout: to sign out, to switch the project.
_OF_EVERY_PAGE = {"/logout", "/settings/project"}


def form_of(html: str, action: str | None = None) -> Values:
    """What the page's form would post untouched: the one with that action, or the last of the page itself."""
    reader = _Forms()
    # What a parser does before anything else; a line end written as a character reference stays what it is.
    reader.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
    reader.close()
    found = [values for where, values in reader.forms if action is None or where == action]
    assert found, "the page has no such form"
    own = [values for where, values in reader.forms if where not in _OF_EVERY_PAGE]
    return own[-1] if own and action is None else found[-1]
