"""What holds for all pages: they show, obey the content security policy, link to nothing that is not there."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from markupsafe import escape

from models.tables import Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
INCIDENT = UUID("4b3a2c1d-0000-4000-8000-000000000001")


@pytest.fixture
def furnished(project: Project) -> Monitor:
    """One monitor that is down, whose every text is hostile, with results, alerts, providers."""
    provider = factories.a_provider(project, name=HOSTILE, broken=True, last_error=HOSTILE)
    monitor = factories.a_monitor(
        project,
        name=HOSTILE,
        description=HOSTILE,
        target=f"https://example.test/{HOSTILE}",
        tags=[HOSTILE],
        providers=(provider,),
        config={"keywordInBody": HOSTILE, "headers": {"Accept": HOSTILE}},
        state={"status": "down", "last_verdict": "down", "last_error_message": HOSTILE, "last_error_code": "TLS_ERROR"},
    )
    certificate = dict.fromkeys(("subject", "issuer", "validTo", "host", "isIntermediate"), HOSTILE) | {
        "daysRemaining": 12
    }
    details = {
        "sslCertificate": certificate,
        "resolvedIp": HOSTILE,
        "body": HOSTILE,
        "timings": {"dnsMs": 1.5},
        "redirects": [{"url": HOSTILE, "statusCode": 302}],
        "evidence": {
            "responseHeaders": {HOSTILE: HOSTILE},
            "bodyExcerpt": HOSTILE,
            "certificateChain": [{"subject": HOSTILE, "issuer": HOSTILE, "validTo": HOSTILE}],
        },
    }
    for status in ("up", "down"):
        factories.a_result(monitor, status=status, error_message=HOSTILE, error_code="TLS_ERROR", details=details)
    factories.an_alert(monitor, provider, reason=HOSTILE, status="failed", suppressed_because=HOSTILE)
    evidence = factories.an_evidence(details, errorMessage=HOSTILE, location=HOSTILE)
    factories.an_incident(monitor, id=INCIDENT, reason=HOSTILE, error_code=HOSTILE, evidence=evidence)
    factories.a_window(project, name=HOSTILE, tag=HOSTILE, enabled=False, occurs_from=None, occurs_until=None)
    return monitor


def pages(monitor: Monitor) -> Iterator[str]:
    provider = monitor.providers[0].provider_id
    yield from ("/", "/monitors", "/alerts", "/notification-providers", "/locations", "/schedules")
    yield "/schedules?q=a&show=late&sort=name"
    yield "/locations/partials/list"
    yield from ("/incidents", "/incidents/partials/list", f"/incidents?monitorId={monitor.id}", "/alerts/partials/list")
    yield from (f"/incidents/{INCIDENT}", f"/incidents/{INCIDENT}/partials/story")
    yield from ("/maintenance", "/maintenance/new", f"/maintenance/new?monitor={monitor.id}")
    yield from ("/settings/account", "/settings/api-keys", "/settings/members", "/settings/projects", "/settings/audit")
    yield from ("/settings/audit?scope=organization&machines=1", "/locations/us-east/remove")
    yield from (f"/monitors/{monitor.id}", f"/monitors/{monitor.id}?period=90d", f"/monitors/{monitor.id}/edit")
    yield from (f"/monitors/delete?ids={monitor.id}", f"/monitors/{monitor.id}/partials/live", "/partials/dashboard")
    yield from (f"/monitors/partials/rows?ids={monitor.id}", f"/alerts?monitorId={monitor.id}")
    yield from (f"/notification-providers/{provider}", f"/notification-providers/{provider}/delete")
    yield "/alerts/undelivered"
    for kind in ("http_request", "website", "ping_host", "port_check", "heartbeat"):
        yield f"/monitors/new?type={kind}"
    for kind in ("email", "slack", "webhook", "telegram", "discord", "teams", "apprise"):
        yield f"/notification-providers/new?type={kind}"


@pytest.mark.parametrize(
    ("query", "status"),
    [("q=%00", 400), ("tag=%00", 400), ("type=%00&status=%00", 400), ("location=%00", 400), ("date=9999-12-31", 200)],
)
def test_a_nonsensical_address_is_no_fault_of_ours(
    visitor: Callable[..., Visitor], furnished: Monitor, query: str, status: int
) -> None:
    someone = visitor("org_owner")
    for path in ("/", "/monitors", f"/monitors/{furnished.id}", "/alerts", "/incidents", "/schedules"):
        someone.get(f"{path}?{query}", status)


def test_nothing_from_outside_gets_into_a_page_unescaped(visitor: Callable[..., Visitor], furnished: Monitor) -> None:
    someone = visitor("org_owner")
    shown = 0
    for path in pages(furnished):
        text = someone.get(path)
        assert "<script>alert" not in text, path
        assert "<img" not in text, path
        shown += text.count("&lt;script&gt;alert")
    assert shown > 20


def test_no_page_needs_an_inline_script_or_style(visitor: Callable[..., Visitor], furnished: Monitor) -> None:
    someone = visitor("org_owner")
    for path in pages(furnished):
        text = someone.get(path)
        tags = re.findall(r"<[a-z][^<>]*", text.replace(str(escape(HOSTILE)), ""))
        for tag in tags:
            assert not re.search(r"\s(style|on[a-z]+)=", tag), (path, tag)
            assert not (tag.startswith("<script") and "src=" not in tag), (path, tag)
            assert not tag.startswith("<style"), path
            for address in re.findall(r'\s(?:src|href)="([^"]*)"', tag):
                assert not address.startswith("javascript:"), (path, tag)


def test_every_link_and_file_is_there(app: Flask, visitor: Callable[..., Visitor], furnished: Monitor) -> None:
    someone = visitor("org_owner")
    seen: set[str] = set()
    for path in pages(furnished):
        text = someone.get(path)
        links = re.findall(r'<(?:a|link|script)[^>]*\s(?:src|href)="(/[^"]*)"', text)
        seen |= {link.replace("&amp;", "&") for link in links}
    assert len(seen) > 25
    for link in sorted(seen):
        assert someone.open(link).status_code == 200, link


def test_the_policy_forbids_what_pages_do_without(visitor: Callable[..., Visitor]) -> None:
    policy = visitor().open("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_files_are_kept_for_ever_under_the_address_of_their_content(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    page = someone.get("/")
    for name in ("base.css", "bootstrap.min.css"):
        address = re.search(rf'href="(/assets/[^"]*/{re.escape(name)})"', page)
        assert address
        assert "immutable" in someone.open(address[1]).headers["Cache-Control"]
    assert "immutable" not in someone.open("/assets/old/base.css").headers["Cache-Control"]
    assert someone.open("/assets/old/..%2fextensions.py").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/monitors/{}",
        "/monitors/{}/edit",
        "/monitors/{}/partials/live",
        "/monitors/delete?ids={}",
        "/alerts?monitorId={}",
        "/incidents?monitorId={}",
    ],
)
def test_another_projects_monitor_is_not_there(visitor: Callable[..., Visitor], context: None, path: str) -> None:
    foreign = factories.a_monitor(factories.a_project(name="Elsewhere"), name="Not yours")
    for wanted in (str(foreign.id), "5ddb4566-30c6-4c46-8a4c-b450af7a567e", "nonsense"):
        text = visitor().get(path.format(wanted), 404)
        assert "Page not found" in text
        assert "Not yours" not in text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/monitors/{}/run"),
        ("POST", "/monitors/{}/switch"),
        ("POST", "/monitors/{}/mute"),
        ("POST", "/monitors/{}/notify"),
        ("POST", "/monitors/{}/edit"),
        ("POST", "/monitors/bulk"),
        ("POST", "/monitors/delete"),
        ("POST", "/monitors/new"),
        ("POST", "/monitors/partials/examine"),
        ("POST", "/notification-providers/new"),
        ("POST", "/settings/api-keys"),
        ("POST", "/settings/members"),
        ("GET", "/monitors/new"),
        ("GET", "/monitors/{}/edit"),
        ("GET", "/notification-providers/new"),
        ("GET", "/settings/api-keys"),
        ("GET", "/settings/members"),
        ("GET", "/settings/audit"),
    ],
)
def test_viewers_change_nothing(
    visitor: Callable[..., Visitor], project: Project, connection: Any, method: str, path: str
) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor("project_viewer")
    path = path.format(monitor.id)
    answer = someone.post(path, ids=str(monitor.id)) if method == "POST" else someone.open(path)
    assert answer.status_code == 403
    assert connection.execute("SELECT count(*), max(version) FROM monitors WHERE enabled").fetchone() == (1, 1)


def test_viewers_see_no_buttons_that_would_fail(visitor: Callable[..., Visitor], furnished: Monitor) -> None:
    someone = visitor("project_viewer")
    for path in ("/", "/monitors", f"/monitors/{furnished.id}", "/notification-providers"):
        text = someone.get(path)
        assert "New monitor" not in text
        assert "Check now" not in text
        assert "Send test" not in text
        assert "API keys" not in text


def test_an_unknown_address_is_a_page_with_its_correlation_id(visitor: Callable[..., Visitor]) -> None:
    text = visitor().get("/nothing/here", 404)
    assert "Page not found" in text
    assert "Go to the dashboard" in text
