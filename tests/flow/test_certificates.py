"""The story of a certificate: it nears its end, people are notified at each threshold, it is renewed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import trustme

from actors.alerts import certificate_warning
from actors.probes import http, http_transfer
from tests import outside, rows
from tests.actors.probes.conftest import server_context
from tests.actors.probes.site import Site, running
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")

Db = psycopg.Connection[Any]
#: One turn of the pipeline for the monitor: answers once its round is decided.
Check = Callable[[UUID], None]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that the probes trust."""
    made = trustme.CA(organization_name="Testing Authority")
    path = tmp_path / "authorities.pem"
    made.cert_pem.write_to_path(path)
    monkeypatch.setattr(http_transfer, "authorities", lambda: str(path))
    return made


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Call it to let the probes' calendar run so many days ahead; TLS itself keeps the true time."""
    ahead = timedelta()

    class Calendar(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + ahead

    def later(days: float) -> None:
        nonlocal ahead
        ahead = timedelta(days=days)

    monkeypatch.setattr(http, "datetime", Calendar)
    return later


@pytest.fixture
def check(connection: Db, tick: Callable[[], int]) -> Check:
    def once(monitor: UUID) -> None:
        before = rows.state(connection, monitor)["decided_for"]
        connection.execute(
            "UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [datetime.now(UTC), monitor]
        )
        tick()
        until(lambda: rows.state(connection, monitor)["decided_for"] != before, what="the round's verdict")

    return once


def a_certificate(authority: trustme.CA, days: float) -> trustme.LeafCert:
    """Good for `days` more, and some hours."""
    end = datetime.now(UTC) + timedelta(days=days, hours=6)
    return authority.issue_cert("127.0.0.1", organization_name="Shop Ltd", not_after=end)


@pytest.fixture
def shop(authority: trustme.CA) -> Iterator[Site]:
    """A site whose certificate has 40 days left; `renew` it through its `context`."""
    with running(tls=server_context(a_certificate(authority, 40))) as site:
        site.answer("/")
        yield site


def events(hook: outside.Hook) -> list[tuple[str, int]]:
    """(event, days left) of all that was sent."""
    return [(one["event"], one.get("certificate", {}).get("daysRemaining")) for one in hook.received]


def test_a_certificate_is_told_of_once_at_each_threshold(
    connection: Db, check: Check, calendar: Callable[[float], None], shop: Site, hook: outside.Hook
) -> None:
    project = rows.a_project(connection)
    monitor = rows.a_monitor(connection, project, shop.url(), type="website")
    rows.a_provider(connection, project, hook.url, monitor)
    wanted: list[tuple[str, int]] = []
    for left, is_news in (
        (40, 0),
        (31, 0),
        (30, 1),
        (29, 0),
        (14, 1),
        (10, 0),
        (7, 1),
        (3, 1),
        (1, 1),
        (0, 0),
        (-1, 1),
        (-2, 0),
    ):
        calendar(40 - left)
        check(monitor)
        if is_news:
            wanted.append(("monitor.ssl_expiring", left))
            until(lambda: len(hook.received) >= len(wanted), what=f"the warning at {left} days")
    assert events(hook) == wanted
    first, last = hook.received[0], hook.received[-1]
    assert first["reason"].startswith("The certificate of 127.0.0.1 expires in 30 days, on ")
    assert "O=Shop Ltd" in first["reason"]
    assert "O=Testing Authority" in first["reason"]
    assert (first["status"], first["errorCode"], first["alertNumber"]) == ("up", "CERTIFICATE_EXPIRING", None)
    assert last["errorCode"] == "CERTIFICATE_EXPIRED"
    # The webhook hears of the last one a moment before its answer is on record.
    found = "SELECT DISTINCT type, status FROM alerts"
    until(lambda: connection.execute(found).fetchall() == [("monitor.ssl_expiring", "sent")], what="all are sent")


def test_renewal_starts_anew_and_a_process_that_remembers_nothing_repeats_nothing(
    connection: Db, check: Check, authority: trustme.CA, hook: outside.Hook
) -> None:
    from actors.checks.check import engine

    project = rows.a_project(connection)
    context = server_context(a_certificate(authority, 2))
    with running(tls=context) as site:
        monitor = rows.a_monitor(connection, project, site.answer("/"), type="website")
        rows.a_provider(connection, project, hook.url, monitor)
        check(monitor)
        until(lambda: len(hook.received) == 1, what="the warning")
        # When the worker is restarted, the warning is on record
        engine().sink.certificates = certificate_warning.ExpiryTracker()
        check(monitor)
        until(lambda: engine().sink.certificates._sent, what="the repetition")
        # And when the certificate is renewed, but for five days only
        a_certificate(authority, 5).configure_cert(context)
        check(monitor)
        until(lambda: len(hook.received) == 2, what="the warning of the new one")
    assert events(hook) == [("monitor.ssl_expiring", 2), ("monitor.ssl_expiring", 5)]
    assert rows.value(connection, "SELECT count(*) FROM certificate_warnings") == 2


def test_a_certificate_that_is_found_expired_is_an_outage_and_told_as_expired(
    connection: Db, check: Check, authority: trustme.CA, hook: outside.Hook
) -> None:
    project = rows.a_project(connection)
    with running(tls=server_context(a_certificate(authority, -9))) as site:
        monitor = rows.a_monitor(connection, project, site.answer("/"), type="website")
        rows.a_provider(connection, project, hook.url, monitor)
        check(monitor)
        until(lambda: len(hook.received) == 2, what="both alerts")
    assert sorted(events(hook), key=str) == [("monitor.down", None), ("monitor.ssl_expiring", -9)]


def test_who_wants_no_certificate_alerts_gets_none_and_finds_it_on_record(
    connection: Db, check: Check, authority: trustme.CA, hook: outside.Hook
) -> None:
    project = rows.a_project(connection)
    with running(tls=server_context(a_certificate(authority, 2))) as site:
        monitor = rows.a_monitor(connection, project, site.answer("/"), type="website", alert_on_ssl_expiration=False)
        rows.a_provider(connection, project, hook.url, monitor)
        check(monitor)
        until(lambda: rows.value(connection, "SELECT count(*) FROM alerts WHERE status = 'suppressed'") == 1)
    assert hook.received == []
