"""Circuit breakers: a service that fails slowly is paused, and no other service with it."""

from collections.abc import Iterator
from typing import Any

import pytest

from actors.alerts import circuit_breakers
from notifications.notice import NotificationError
from tests.conftest import SettingsOf
from tests.waiting import until

AWAY = NotificationError("Away.", permanent=False)
HOOK = {"url": "https://hooks.example.test/a?key=1"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close all circuits. In these tests every failure counts as slow."""
    monkeypatch.setattr(circuit_breakers, "SLOW_SECONDS", 0.0)
    circuit_breakers.reset()
    yield
    circuit_breakers.reset()


def call(config: dict[str, Any], failure: NotificationError | None = None, kind: str = "webhook") -> str:
    """Return `called`, or the error's text."""
    called = []
    try:
        with circuit_breakers.guard(kind, config):
            called.append(True)
            if failure:
                raise failure
    except NotificationError as error:
        assert error.permanent is (failure.permanent if called and failure else False)
        return "called" if called else f"{error} {error.retry_after}"
    return "called"


def fail(times: int, config: dict[str, Any] = HOOK, failure: NotificationError = AWAY) -> None:
    for _ in range(times):
        assert call(config, failure) == "called"


def test_several_failures_in_a_row_open_the_circuit_and_the_error_has_the_remaining_time() -> None:
    fail(circuit_breakers.FAILURES)
    error = call(HOOK)
    assert "Paused for a few seconds" in error
    assert error.endswith(f"{circuit_breakers.OPEN_SECONDS}.0")
    assert "example" not in error


def test_a_success_resets_the_count_of_failures() -> None:
    fail(circuit_breakers.FAILURES - 1)
    assert call(HOOK) == "called"
    fail(circuit_breakers.FAILURES - 1)
    assert call(HOOK) == "called"


@pytest.mark.parametrize(
    "failure",
    [
        NotificationError("404.", permanent=True),
        NotificationError("429.", permanent=False, retry_after=1, outage=False),
    ],
)
def test_a_refusal_does_not_open_the_circuit(failure: NotificationError) -> None:
    fail(circuit_breakers.FAILURES * 2, failure=failure)
    assert call(HOOK) == "called"


def test_fast_failures_do_not_open_the_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breakers, "SLOW_SECONDS", 60.0)
    fail(circuit_breakers.FAILURES * 2)
    assert call(HOOK) == "called"


@pytest.mark.parametrize(
    "other, kind",
    [
        ({"url": "https://other.example.test/a"}, "webhook"),
        ({"url": "https://hooks.example.test:8443/a"}, "webhook"),
        ({"url": "json://hooks.example.test/a"}, "apprise"),
        ({"smtpHost": "hooks.example.test"}, "email"),
        ({"botToken": "1:a"}, "telegram"),
    ],
)
def test_the_circuits_of_other_services_stay_closed(other: dict[str, Any], kind: str) -> None:
    fail(circuit_breakers.FAILURES)
    assert call(other, kind=kind) == "called"


def test_all_paths_of_a_service_share_its_circuit() -> None:
    fail(circuit_breakers.FAILURES)
    assert call({"webhookUrl": "https://hooks.example.test/b"}, kind="slack") != "called"


def test_the_circuit_closes_after_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breakers, "OPEN_SECONDS", 0.05)
    fail(circuit_breakers.FAILURES)
    until(lambda: call(HOOK) == "called", within=3)
    # The success has reset the count of failures
    fail(circuit_breakers.FAILURES - 1)
    assert call(HOOK) == "called"


def test_mail_without_its_own_server_shares_the_circuit_of_the_default_server(settings_of: SettingsOf) -> None:
    settings_of(smtp_host="mail.example.test", smtp_port=25)
    for _ in range(circuit_breakers.FAILURES):
        call({"to": ["a@example.test"]}, AWAY, "email")
    assert call({"to": ["b@example.test"]}, kind="email") != "called"
    assert call({"smtpHost": "mail.example.test", "smtpPort": 587}, kind="email") == "called"


def test_the_number_of_breakers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breakers, "MAX_SERVICES", 3)
    for number in range(10):
        call({"url": f"https://{number}.example.test/"}, AWAY)
    assert len(circuit_breakers._breakers) == 3
