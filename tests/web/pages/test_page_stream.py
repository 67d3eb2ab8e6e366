"""The stream of the pages, on real sockets and a real Valkey."""

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from models.tables import Monitor, Project, Role, User
from tests import factories
from tests.waiting import until
from tests.web.pages.visitor import Visitor
from tests.web.serving import an_app, served
from web.features.monitors import listing
from web.http.extensions import db
from web.live import hub, streams
from web.live.streams import live_of


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(hub, "_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.2)
    with an_app() as made:
        yield made


@pytest.fixture
def project(app: Flask) -> Project:
    return factories.a_project()


class Reader:
    """A page's stream of a signed-in user."""

    def __init__(self, address: tuple[str, int], cookie: str, query: str = "") -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=10)
        self._connection.request("GET", f"/live{query}", headers={"Cookie": cookie})
        self.answer = self._connection.getresponse()

    def event(self) -> dict[str, Any]:
        """The data of the next event."""
        while line := self.answer.readline().decode():
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@pytest.fixture
def person(project: Project) -> User:
    return factories.a_user(project, Role.PROJECT_VIEWER)


@pytest.fixture
def read(app: Flask, person: User) -> Iterator[Callable[..., Reader]]:
    opened: list[Reader] = []
    someone = Visitor(app.test_client())
    someone.become(person)
    cookie = someone.client.get_cookie("supercheck_session")
    assert cookie is not None
    with served(app) as address:

        def begin(query: str = "") -> Reader:
            opened.append(Reader(address, f"supercheck_session={cookie.value}", query))
            return opened[-1]

        yield begin
        for one in opened:
            one.close()
        live_of(app).stop()
        # A stream that was asking the database when it ended gives its connection back.
        db.session.remove()
        until(lambda: db.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]


def publish(monitor: Monitor, *turns: tuple[str, str]) -> None:
    from actors.verdicts import live

    live.publish(
        [live.Event(monitor.project_id, monitor.id, status, before, None, None, None) for before, status in turns]
    )


def turn(monitor: Monitor, status: str) -> None:
    monitor.state.status = monitor.state.last_verdict = status
    db.session.commit()


def test_it_begins_with_the_counts(read: Callable[..., Reader], project: Project) -> None:
    for status in ("up", "up", "down"):
        factories.a_monitor(project, state={"status": status})
    assert read().event() == {"checked": [], "changed": [], "counts": {"up": 2, "down": 1}}


def test_rounds_are_gathered_and_changes_bring_the_counts(read: Callable[..., Reader], project: Project) -> None:
    quiet = factories.a_monitor(project, state={"status": "down"})
    shop = factories.a_monitor(project, name="Shop", state={"status": "up"})
    stream = read()
    stream.event()
    publish(quiet, *[("down", "down")] * 200)
    assert stream.event() == {"checked": [str(quiet.id)], "changed": []}
    turn(shop, "down")
    publish(shop, ("up", "down"), ("down", "down"))
    assert stream.event() == {
        "checked": [str(shop.id)],
        "changed": [{"monitorId": str(shop.id), "name": "Shop", "status": "down", "previousStatus": "up"}],
        "counts": {"down": 2},
    }


def test_what_changed_and_changed_back_is_no_change(read: Callable[..., Reader], project: Project) -> None:
    shop = factories.a_monitor(project, state={"status": "up"})
    stream = read()
    stream.event()
    publish(shop, ("up", "down"), ("down", "up"))
    assert stream.event()["changed"] == []


def test_the_counts_of_two_streams_are_never_older_than_their_change(
    read: Callable[..., Reader], project: Project
) -> None:
    shop = factories.a_monitor(project, state={"status": "up"})
    pair = [read(), read()]
    for one in pair:
        one.event()
    for before, after in (("up", "down"), ("down", "up"), ("up", "down")):
        turn(shop, after)
        publish(shop, (before, after))
        assert [one.event()["counts"] for one in pair] == [{after: 1}] * 2


def test_a_stream_ends_if_the_database_is_away(
    read: Callable[..., Reader], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = factories.a_monitor(project, state={"status": "up"})
    stream = read()
    stream.event()

    def away(_project_id: object) -> dict[str, int]:
        raise OperationalError("SELECT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(listing, "totals", away)
    publish(shop, ("up", "down"))
    with pytest.raises(AssertionError, match="the stream ended"):
        stream.event()


def test_another_projects_rounds_are_not_told(read: Callable[..., Reader], project: Project) -> None:
    mine = factories.a_monitor(project)
    stream = read()
    stream.event()
    publish(factories.a_monitor(factories.a_project()), ("up", "down"))
    publish(mine, ("up", "up"))
    assert stream.event()["checked"] == [str(mine.id)]


def test_a_page_stays_with_its_project(read: Callable[..., Reader], project: Project, person: User) -> None:
    other = factories.a_project(name="Second")
    factories.a_membership(person, other, Role.PROJECT_VIEWER)
    theirs = factories.a_monitor(other, state={"status": "up"})
    stream = read(f"?project={other.id}")
    assert stream.event()["counts"] == {"up": 1}
    publish(theirs, ("up", "up"))
    assert stream.event()["checked"] == [str(theirs.id)]
    for foreign in (factories.a_project(name="Third").id, "nonsense"):
        assert read(f"?project={foreign}").answer.status == 404


def test_unknown_clients_are_sent_to_the_sign_in_page(app: Flask) -> None:
    assert app.test_client().get("/live").status_code == 302
