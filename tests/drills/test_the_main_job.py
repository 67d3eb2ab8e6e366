"""The acceptance of the main job, as a user meets it: one command, the HTTP API, a target that breaks and recovers."""

import time
from typing import Any

import pytest

from tests import outside, system
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]

INTERVAL = 6.0


def the_first_result(api: system.Api, monitor: str) -> Any:
    return api.call("GET", f"/api/monitors/{monitor}/results")["data"]


def status(api: system.Api, monitor: str) -> str:
    return str(api.call("GET", f"/api/monitors/{monitor}")["status"])


def alerts(api: system.Api, monitor: str) -> list[tuple[str, str]]:
    found = api.call("GET", "/api/alerts", monitorId=monitor)["data"]
    return sorted((one["type"], one["status"]) for one in found)


def test_an_outage_and_its_end_are_told_within_the_interval_and_two_seconds() -> None:
    with system.running() as it, outside.target() as target, outside.hook() as hook, it.api() as api:
        # Given a provider and a monitor every 6 seconds
        provider = api.make(
            "/api/notification-providers", {"name": "Hook", "type": "webhook", "config": {"url": hook.url}}
        )
        monitor = api.make(
            "/api/monitors",
            {
                "name": "Shop",
                "type": "http_request",
                "target": target.url,
                "frequencyMinutes": 0.1,
                "alertConfig": {"enabled": True, "notificationProviders": [provider]},
            },
        )

        # Then the first result is there within 3 seconds
        first = until(lambda: the_first_result(api, monitor), within=3, what="the first result")
        assert first[0]["status"] == "up"
        until(lambda: status(api, monitor) == "up", within=3, what="the monitor is up")

        # And an outage is sent within the interval and 2 seconds
        began = time.monotonic()
        target.status = 500
        until(lambda: hook.events() == ["monitor.down"], within=INTERVAL + 2, what="the webhook about the outage")
        assert hook.arrivals[0] - began <= INTERVAL + 2
        assert hook.received[0]["monitor"]["id"] == monitor
        assert hook.received[0]["alertNumber"] == 1

        # And so is its end
        began = time.monotonic()
        target.status = 200
        until(lambda: "monitor.up" in hook.events(), within=INTERVAL + 2, what="the webhook about the recovery")
        assert hook.arrivals[-1] - began <= INTERVAL + 2
        assert hook.events() == ["monitor.down", "monitor.up"]

        # And both stand in the history as sent
        until(
            lambda: alerts(api, monitor) == [("monitor.down", "sent"), ("monitor.up", "sent")],
            within=3,
            what="both alerts are on record as sent",
        )
