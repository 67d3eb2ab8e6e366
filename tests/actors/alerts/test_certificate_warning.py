"""Warnings of certificates: each sent once, however often and by whichever worker it is seen."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import redis

from actors import queues
from actors.alerts import certificate_warning as module
from actors.alerts.certificate_warning import ExpiryTracker, certificate_warning
from actors.probes.target import Target
from tests import messages, rows
from tests.actors.alerts.test_certificate_thresholds import a_certificate

Db = psycopg.Connection[Any]


@pytest.fixture
def monitor(connection: Db, project: UUID) -> UUID:
    return rows.a_monitor(connection, project, state={"status": "up"})


def warned(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "SELECT context->'certificate'->'daysRemaining', status FROM alerts ORDER BY created_at"
    ).fetchall()


def test_warning_twice_equals_once(connection: Db, monitor: UUID) -> None:
    certificate = a_certificate(13)
    certificate_warning.fn(str(monitor), 14, certificate)
    certificate_warning.fn(str(monitor), 14, certificate)
    rows_found = connection.execute(
        "SELECT id, type, monitor_name, alert_number, reason, context FROM alerts"
    ).fetchall()
    ((alert, kind, name, number, reason, context),) = rows_found
    assert (kind, name, number) == ("monitor.ssl_expiring", "Shop", None)
    assert reason.startswith("The certificate expires in 13 days")
    assert context == {"status": "up", "errorCode": "CERTIFICATE_EXPIRING", "certificate": certificate}
    assert [message.args[0] for message in messages.waiting(queues.ALERTS)] == [[str(alert)]]


def test_each_threshold_is_told_and_none_that_a_nearer_one_covers(connection: Db, monitor: UUID) -> None:
    for threshold, left in ((7, 6), (30, 29), (14, 10), (7, 7), (3, 2), (-1, -1), (1, 0)):
        certificate_warning.fn(str(monitor), threshold, a_certificate(left))
    assert [left for left, _ in warned(connection)] == [6, 2, -1]


def test_a_renewed_certificate_is_told_of_anew(connection: Db, monitor: UUID) -> None:
    certificate_warning.fn(str(monitor), 7, a_certificate(6))
    certificate_warning.fn(str(monitor), 30, a_certificate(29, fingerprintSha256="cd" * 32))
    assert [left for left, _ in warned(connection)] == [6, 29]


def test_two_monitors_of_one_certificate_are_both_told_of(connection: Db, project: UUID, monitor: UUID) -> None:
    for one in (monitor, rows.a_monitor(connection, project)):
        certificate_warning.fn(str(one), 7, a_certificate(6))
    assert len(warned(connection)) == 2


def test_locations_that_see_it_at_once_tell_once(connection: Db, monitor: UUID) -> None:
    with ThreadPoolExecutor(4) as together:
        list(together.map(lambda _: certificate_warning.fn(str(monitor), 7, a_certificate(6)), range(12)))
    assert len(warned(connection)) == 1


@pytest.mark.parametrize("end", ["DELETE FROM monitors", "UPDATE monitors SET enabled = false"])
def test_a_monitor_that_is_gone_or_paused_meanwhile_tells_nobody(connection: Db, monitor: UUID, end: str) -> None:
    connection.execute(end)  # type: ignore[call-overload]
    certificate_warning.fn(str(monitor), 7, a_certificate(6))
    assert warned(connection) == []


def test_the_warnings_go_with_their_monitor(connection: Db, monitor: UUID) -> None:
    certificate_warning.fn(str(monitor), 7, a_certificate(6))
    connection.execute("DELETE FROM monitors")
    assert rows.value(connection, "SELECT count(*) FROM certificate_warnings") == 0


# --- what one process remembers -----------------------------------------------------------------------


def a_target(**config: Any) -> Target:
    return Target(uuid4(), "website", "https://shop.example/", 30, config)


def test_one_process_says_each_threshold_once() -> None:
    watch, target = ExpiryTracker(), a_target()
    seen = [
        watch.crossed_threshold(target, a_certificate(left)) for left in (31, 30, 29, 29, 14, 13, 7, 3, 1, 0, -1, -2)
    ]
    assert seen == [None, 30, None, None, 14, None, 7, 3, 1, None, -1, None]


def test_the_monitors_own_window_comes_first() -> None:
    watch = ExpiryTracker()
    assert watch.crossed_threshold(a_target(sslDaysUntilExpirationWarning=60), a_certificate(45)) == 60
    assert watch.crossed_threshold(a_target(sslDaysUntilExpirationWarning=5), a_certificate(7)) is None


def test_what_was_said_is_said_again_after_an_hour_in_case_it_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, target = ExpiryTracker(), a_target()
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    assert watch.crossed_threshold(target, a_certificate(6)) == 7
    now += module.REPEAT_SECONDS - 1
    assert watch.crossed_threshold(target, a_certificate(6)) is None
    now += 1
    assert watch.crossed_threshold(target, a_certificate(6)) == 7


def test_the_memory_of_what_was_said_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CERTIFICATES", 3)
    watch = ExpiryTracker()
    for _ in range(10):
        watch.crossed_threshold(a_target(), a_certificate(6))
    assert len(watch._sent) <= 3


def test_without_a_broker_the_next_check_says_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, target = ExpiryTracker(), a_target()

    def away(*_: Any) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(certificate_warning, "send", away)
    certificate = a_certificate(6)
    assert watch.crossed_threshold(target, certificate) == 7
    asyncio.run(watch.send(target, 7, certificate))
    assert watch.crossed_threshold(target, certificate) == 7
