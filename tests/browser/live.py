"""What tests do to an installation behind the browser's back, and what they ask its pages."""

import re
from typing import TYPE_CHECKING
from uuid import UUID

from flask import current_app

from models.tables import Monitor
from web.http.extensions import db
from web.live.streams import live_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def monitor(name: str) -> Monitor:
    """The demonstration's monitor of that name."""
    db.session.expire_all()
    found = db.session.query(Monitor).filter_by(name=name).one()
    db.session.commit()
    return found


def publish(one: Monitor, status: str, previous: str) -> None:
    """What the pipeline publishes after a round."""
    from actors.verdicts import live

    live.publish([live.Event(UUID(str(one.project_id)), one.id, status, previous, None, None, None)])


def turn(name: str, status: str, why: str = "It broke just now.", *, tells: bool = True) -> Monitor:
    """Have a monitor change its state, and tell the pages."""
    one = monitor(name)
    previous = one.state.status
    one.state.status = one.state.last_verdict = status
    one.state.last_error_message = why if status == "down" else None
    db.session.commit()
    if tells:
        publish(one, status, previous)
    return one


def streams() -> int:
    """How many streams the server has open."""
    return len(live_of(current_app).hub)


def hide(page: "Page", hidden: bool) -> None:
    """Put the page into the background, or back: a headless browser shows all pages at once."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def renew_often(page: "Page", path: str, milliseconds: int = 300) -> None:
    """Have the page at `path` renew its content much more often than it would; then open it."""

    def answer(route: "Route") -> None:
        got = route.fetch()
        text = re.sub(r"data-renews=", f'data-every="{milliseconds}" data-renews=', got.text())
        route.fulfill(response=got, body=text)

    page.route(lambda address: address.endswith(path), answer)
    page.goto(path)
