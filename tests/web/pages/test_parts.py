"""Parts that live updates fetch: sent again only if there is news in them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from models.tables import Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db
from web.ui import parts
from web.ui.labels import clock, due, lasted

PATHS = (
    "/partials/dashboard",
    "/alerts/partials/list",
    "/incidents/partials/list",
    "/locations/partials/list",
    "/queues/partials/figures",
    "/monitors/partials/list",
    "/monitors/partials/set",
    "/monitors/partials/rows?ids={monitor}",
    "/monitors/{monitor}/partials/live",
    "/incidents/{incident}/partials/story",
)


@pytest.fixture
def down(project: Project) -> Monitor:
    since = datetime.now(UTC) - timedelta(minutes=5)
    return factories.a_monitor(
        project,
        name="Payments",
        state={
            "status": "down",
            "down_since": since,
            "last_check_at": since,
            "next_run_at": since,
            "run_started_at": since,
        },
    )


def ask(client: FlaskClient, path: str, tag: str | None) -> tuple[int, str, int]:
    """(status, tag, size)."""
    answer = client.get(path, headers={"If-None-Match": tag} if tag else {})
    return answer.status_code, answer.headers["ETag"], len(answer.data)


@pytest.mark.parametrize("path", PATHS)
def test_a_part_without_news_is_not_sent_again(
    visitor: Callable[..., Visitor], down: Monitor, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.an_alert(down, None, status="sent")
    factories.a_result(down, status="down")
    incident = factories.an_incident(down, reason="It broke.")
    someone = visitor("org_owner")
    address = path.format(monitor=down.id, incident=incident.id)
    status, tag, _ = ask(someone.client, address, None)
    assert status == 200
    _later(monkeypatch)
    assert ask(someone.client, address, tag) == (304, tag, 0)
    # What a proxy makes of the tag of an answer that it compresses.
    assert ask(someone.client, address, tag.removesuffix('"') + '-gzip"')[0] == 304
    assert ask(someone.client, address, '"another"')[0] == 200


def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every relative time read differently from now on."""
    from flask import current_app

    for name in ("ago", "lasted", "due", "clock"):
        monkeypatch.setitem(current_app.jinja_env.filters, name, lambda _at: "another word")


def test_news_are_sent(visitor: Callable[..., Visitor], down: Monitor) -> None:
    someone = visitor()
    _, tag, _ = ask(someone.client, "/partials/dashboard", None)
    down.state.last_error_message = "It is another fault now."
    db.session.commit()
    assert ask(someone.client, "/partials/dashboard", tag)[0] == 200


def test_another_session_has_parts_of_its_own(visitor: Callable[..., Visitor], down: Monitor) -> None:
    path = f"/monitors/{down.id}/partials/live"
    tags = {ask(visitor().client, path, None)[1] for _ in range(2)}
    assert len(tags) == 2  # its forms hold the token of the session


@given(st.text(), st.text())
def test_only_times_and_tokens_may_differ(one: str, other: str) -> None:
    def rendered(text: str) -> str:
        return parts._PASSING.sub("", f"<p>{text}</p>")

    clean = [text.replace("</time>", "").replace('name="csrf_token" value="', "") for text in (one, other)]
    assert (rendered(clean[0]) == rendered(clean[1])) == (clean[0] == clean[1])
    times = [f'<time datetime="x">{text.replace("<", "").replace(">", "")}</time>' for text in (one, other)]
    assert rendered(times[0]) == rendered(times[1])


_TIMES = st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(_TIMES, st.floats(0, 1e7))
def test_times_are_said_for_every_distance(at: datetime, seconds: float) -> None:
    later = at + timedelta(seconds=seconds)
    assert lasted(at, later)
    assert lasted(later, at) == "0 s"
    assert due(at, later) == "now"
    assert due(later, at).startswith("in ") == (seconds >= 2)
    assert clock(at, at) == at.strftime("%H:%M UTC")
    assert clock(at, at + timedelta(days=1)).endswith(at.strftime("%b %H:%M UTC"))
