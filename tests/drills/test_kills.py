"""SIGKILL to one process after another while targets break: nothing is missed, nothing is sent twice."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.drills.cluster import Cluster, a_monitor, a_provider, cluster
from tests.drills.slow_hook import SlowHook, slow_hook
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]

#: The issue's promise: checking goes on so long after the restart.
CHECKED_WITHIN = 15
#: A worker killed between the webhook's answer and its own commit leaves a claim that others respect for a minute.
SENT_WITHIN = 75


@pytest.fixture(scope="module")
def place() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


def test_nobody_is_told_anything_while_nothing_happens(place: Cluster) -> None:
    place.all_checked(datetime.now(UTC), within=10)
    assert place.hook.received == []


@pytest.mark.parametrize("role", ["check_worker", "scheduler", "web", "worker", "valkey", "postgres"])
def test_a_kill_loses_no_outage_and_doubles_no_alert(place: Cluster, role: str) -> None:
    heard, began, said = len(place.hook.received), datetime.now(UTC), len(place.system.said())
    names = sorted(place.names.values())
    breaking = set(names[:8])

    # Given targets that have just broken, and others that break while the process is away
    place.fake_targets.breaks(names[:4])
    old = place.system.kill(role)
    place.fake_targets.breaks(names[4:8])

    # Then the supervisor starts it again, and every monitor is checked again
    place.system.restarted(role, old)
    place.all_checked(datetime.now(UTC), within=CHECKED_WITHIN)

    # And every outage and every recovery is sent once
    tell_of_an_outage(place, heard, breaking)
    assert place.alerts_on_record(began) == {(name, kind): 1 for name in breaking for kind in ("first", "recovery")}
    assert place.doubled_rounds() == []
    assert place.falsely_down(began, breaking) == []
    if role != "worker":
        assert place.repeated_deliveries(heard) == []
    if role not in {"valkey", "postgres"}:
        # The others may complain while a server is away, and about nothing else.
        assert "Traceback" not in place.system.said()[said:]


def test_a_worker_killed_while_it_tells_has_it_told_again_under_the_same_delivery_id(place: Cluster) -> None:
    with place.system.api() as api, slow_hook() as hook:
        # Given a channel that has the message and has not answered yet
        monitor = a_monitor(api, place.fake_targets, "kiosk", a_provider(api, hook.url))
        place.fake_targets.breaks(["kiosk"])
        until(lambda: hook.calls, what="the first call")

        # When the worker is killed, and its claim on the delivery has run out
        old = place.system.kill("worker")
        hook.go_on.set()
        place.system.restarted("worker", old)
        place.rows(
            "UPDATE deliveries SET claimed_until = now() WHERE id = %s RETURNING id", hook.calls[0]["deliveryId"]
        )

        # Then the same delivery is made again, and counts once
        first = [hook.calls[0]["deliveryId"]]
        until(lambda: sent_as(hook, 1) == first * 2, what="the second call")
        until(lambda: deliveries(place, first) == [("sent", 2)], what="it is on record as sent")
        api.call("DELETE", f"/api/monitors/{monitor}")
        assert sent_as(hook, 1) == first * 2
        place.fake_targets.repair()


def sent_as(hook: SlowHook, number: int) -> list[str]:
    """The delivery ids of the calls about the alert with this number."""
    return [call["deliveryId"] for call in list(hook.calls) if call["alertNumber"] == number]


def deliveries(place: Cluster, ids: list[str]) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in place.rows("SELECT status, attempts FROM deliveries WHERE id = ANY(%s)", ids)]


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_has_lost_nothing(place: Cluster) -> None:
    heard, began = len(place.hook.received), datetime.now(UTC)
    breaking = set(sorted(place.names.values())[-4:])
    stored = place.results()

    # When the supervisor dies and some targets with it
    place.system.kill_supervisor()
    place.fake_targets.breaks(breaking)

    # Then everything else ends too
    until(lambda: not place.system.processes(), what="no process is left")

    # And the next start has all there was, and goes on
    place.system.start()
    assert stored <= place.results()
    place.all_checked(datetime.now(UTC), within=CHECKED_WITHIN)
    tell_of_an_outage(place, heard, breaking)
    assert place.alerts_on_record(began) == {(name, kind): 1 for name in breaking for kind in ("first", "recovery")}
    assert place.doubled_rounds() == []
    assert place.falsely_down(began, breaking) == []


def tell_of_an_outage(place: Cluster, heard: int, breaking: set[str]) -> None:
    """Wait until the outages are sent, repair the targets, wait until the recoveries are sent: each once, and no others."""
    until(lambda: place.first_alerts(heard).keys() >= breaking, within=SENT_WITHIN, what="every first alert")
    place.fake_targets.repair()
    until(lambda: place.recoveries(heard).keys() >= breaking, within=SENT_WITHIN, what="every recovery")
    until(lambda: not place.unsettled(), within=SENT_WITHIN, what="all is up and sent")
    assert place.first_alerts(heard) == dict.fromkeys(breaking, 1)
    assert place.recoveries(heard) == dict.fromkeys(breaking, 1)
