"""What a heartbeat's page shows of its pings, and the deadline while a form is filled in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.rules import time_zones
from models.tables import HeartbeatPing, Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

NOW = datetime.now(UTC)


def a_ping(monitor: Monitor, kind: str, ago: int, **values: Any) -> None:
    source = {"ip": "203.0.113.7", "userAgent": "curl/8", "origin": None, "method": "POST"}
    at = NOW - timedelta(seconds=ago)
    row: dict[str, Any] = {"id": uuid4(), "monitor_id": monitor.id, "received_at": at, "kind": kind, "source": source}
    db.session.add(HeartbeatPing(**{**row, **values}))
    db.session.commit()


def test_the_timeline_tells_every_kind_with_source_duration_and_body(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    started = NOW - timedelta(seconds=30)
    monitor = factories.a_monitor(project, "heartbeat", state={"run_started_at": started})
    a_ping(monitor, "fail", 90, exit_code=7, duration_ms=20_000, body="<script>alert(1)</script>")
    a_ping(monitor, "success", 60, duration_ms=40_000)
    a_ping(monitor, "log", 45, body="half done")
    a_ping(monitor, "start", 30, received_at=started)
    page = visitor("project_viewer").get(f"/monitors/{monitor.id}")
    assert [page.index(word) for word in ("Start", "Log", "Success", "Failure")] == sorted(
        page.index(word) for word in ("Start", "Log", "Success", "Failure")
    )
    for shown in ("exit 7", "20 s", "40 s", "running for", "203.0.113.7", "curl/8", "POST", "half done"):
        assert shown in page
    assert 'width="50.0"' in page
    assert 'width="100.0"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_other_types_have_no_timeline(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project)
    assert "pings-title" not in visitor().get(f"/monitors/{monitor.id}")


def test_the_lines_to_copy_follow_the_schedule(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(
        project,
        "heartbeat",
        token="t" * 43,
        cron_expression="15 2 * * *",
        config={"cronExpression": "15 2 * * *", "requireApiKey": True},
    )
    page = visitor().get(f"/monitors/{monitor.id}")
    line = "curl -fsS -m 10 --retry 5 -o /dev/null http://localhost:8000/api/heartbeat/" + "t" * 43
    for shown in (f">{line}<", f"15 2 * * * /path/to/job &amp;&amp; {line}", f"{line}/start; /path/to/job; {line}/$?"):
        assert shown in page
    assert "Authorization: Bearer KEY" in page


@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("every=3600&grace=600", [4200]),
        ("every=30&grace=", [30]),
        ("every=&grace=600", []),
        ("every=-5", []),
        ("every=nan", []),
        ("every=1e300", []),
        ("", []),
    ],
)
def test_a_deadline_is_told_while_typing(visitor: Callable[..., Visitor], asked: str, after: list[int]) -> None:
    answer = visitor().open(f"/monitors/partials/deadline?{asked}").get_json()
    now = datetime.fromisoformat(answer["now"])
    assert [(datetime.fromisoformat(one) - now).total_seconds() for one in answer["deadlines"]] == after


def test_a_cron_expression_tells_its_next_three_deadlines(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    answer = someone.open("/monitors/partials/deadline?cron=30+4+*+*+*&zone=Asia/Kolkata&grace=900").get_json()
    times = [datetime.fromisoformat(one) for one in answer["deadlines"]]
    assert [(one.hour, one.minute, one.utcoffset()) for one in times] == [(23, 15, timedelta())] * 3
    assert times[0] > datetime.fromisoformat(answer["now"])
    for wrong in (
        "cron=nonsense",
        "cron=30+4+*+*+*&zone=Mars/Olympus",
        "cron=",
        "cron=0+0+30+2+*",
        "cron=*+*+*+*+*&zone=../x",
        "cron=*+*+*+*+*&zone=localtime",
    ):
        assert someone.open(f"/monitors/partials/deadline?{wrong}").get_json()["deadlines"] == []


def test_a_former_name_of_a_zone_means_the_same(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    former, present = (
        someone.open(f"/monitors/partials/deadline?cron=30+4+*+*+*&zone={zone}").get_json()["deadlines"]
        for zone in ("Asia/Calcutta", "Asia/Kolkata")
    )
    assert former == present != []


@pytest.mark.parametrize("page", ["/monitors/new?type=website", "/monitors/new?type=heartbeat", "/maintenance/new"])
def test_forms_offer_every_zone_under_its_present_name(page: str, visitor: Callable[..., Visitor]) -> None:
    text = visitor().open(page).get_data(as_text=True)
    offered = re.findall(
        r'<option value="([^"]+)">', text.partition('<datalist id="zones">')[2].partition("</datalist>")[0]
    )
    assert tuple(offered) == time_zones.names()


def test_only_who_may_edit_asks_for_deadlines(visitor: Callable[..., Visitor]) -> None:
    assert visitor("project_viewer").open("/monitors/partials/deadline?every=60").status_code == 403
