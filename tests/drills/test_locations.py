"""Three locations, a check worker process each: what they decide together, and what happens when one of them dies."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests import outside, system
from tests.drills.region import Region, region
from tests.system import Api
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]

HOME, EUROPE, ASIA = "us-east", "eu-central", "asia-pacific"
LOCATIONS = {HOME, EUROPE, ASIA}
#: A dead worker's sign of life lasts 10 s, a round that waits for it its timeout of 5 s and 10 more.
NOTICED_WITHIN = 40


@pytest.fixture(scope="module")
def places() -> Iterator[Region]:
    with system.running(WORKER_LOCATION=HOME) as it, region(it) as made:
        made.start(EUROPE)
        made.start(ASIA)
        with it.api() as api:
            until(lambda: online(api) == LOCATIONS, what="a worker in every location")
        yield made


@pytest.fixture
def api(places: Region) -> Iterator[Api]:
    with places.system.api() as client:
        yield client


def online(api: Api) -> set[str]:
    return {one["code"] for one in api.call("GET", "/api/locations")["data"] if one["workersOnline"]}


def a_monitor(api: Api, places: Region, name: str, hook: outside.Hook, minutes: float = 5 / 60, **where: Any) -> str:
    """A monitor every 5 s that asks all locations, unless `where` (a `locationConfig`) says otherwise."""
    provider = api.make("/api/notification-providers", {"name": name, "type": "webhook", "config": {"url": hook.url}})
    return api.make(
        "/api/monitors",
        {
            "name": name,
            "type": "http_request",
            "target": places.url + name,
            "frequencyMinutes": minutes,
            "config": {"timeoutSeconds": 5, "locationConfig": {"enabled": True, **where}},
            "alertConfig": {"enabled": True, "notificationProviders": [provider]},
        },
    )


def status(api: Api, monitor: str) -> str:
    return str(api.call("GET", f"/api/monitors/{monitor}")["status"])


def newest(api: Api, monitor: str) -> list[Any]:
    """The newest rounds' results."""
    return list(api.call("GET", f"/api/monitors/{monitor}/results")["data"])


def asked(api: Api, monitor: str) -> set[str]:
    """The locations that the newest round asked."""
    found = newest(api, monitor)
    return set(found[0]["expectedLocations"]) if found else set()


def open_warnings(places: Region) -> set[tuple[str, str]]:
    with places.system.database() as db:
        found = db.execute("SELECT kind, subject FROM operator_warnings WHERE resolved_at IS NULL").fetchall()
    return {(str(kind), str(subject)) for kind, subject in found}


def test_each_strategy_decides_what_the_locations_found(places: Region, api: Api) -> None:
    strategies: dict[str, dict[str, Any]] = {
        "all": {"strategy": "all"},
        "majority": {"strategy": "majority"},
        "any": {"strategy": "any"},
        "custom-60": {"strategy": "custom", "threshold": 60},
        "custom-70": {"strategy": "custom", "threshold": 70},
    }
    with outside.hook() as hook:
        made = {name: a_monitor(api, places, name, hook, **where) for name, where in strategies.items()}

        def standing() -> dict[str, str]:
            return {name: status(api, monitor) for name, monitor in made.items()}

        until(lambda: set(standing().values()) == {"up"}, what="all are up")

        # When one location of three finds them broken, two thirds are up
        places.bad = {(name, ASIA) for name in made}
        wanted = {"all": "down", "majority": "up", "any": "up", "custom-60": "up", "custom-70": "down"}
        until(lambda: standing() == wanted, what="the verdicts of two to one")

        # When a second one does, one third is
        places.bad |= {(name, EUROPE) for name in made}
        wanted |= {"majority": "down", "custom-60": "down"}
        until(lambda: standing() == wanted, what="the verdicts of one to two")

        # Then every location has stored its own result of one and the same round
        results = newest(api, made["majority"])
        turn = next(one["executionGroupId"] for one in results if one["isStatusChange"])
        group = [one for one in results if one["executionGroupId"] == turn]
        assert {one["location"]: one["status"] for one in group} == {HOME: "up", EUROPE: "down", ASIA: "down"}
        assert all(set(one["expectedLocations"]) == LOCATIONS and one["isStatusChange"] for one in group)

        # And those that are down are sent, with what each location found
        down = {name for name, verdict in wanted.items() if verdict == "down"}
        until(lambda: {one["monitor"]["name"] for one in list(hook.received)} == down, what="the alerts")
        assert all({one["location"] for one in received["locations"]} == LOCATIONS for received in hook.received)

        # When all three do, nothing is up
        places.bad |= {(name, HOME) for name in made}
        until(lambda: set(standing().values()) == {"down"}, what="the verdicts of none to three")
        places.bad.clear()
        until(lambda: set(standing().values()) == {"up"}, what="all are up again")
        for monitor in made.values():
            api.call("DELETE", f"/api/monitors/{monitor}")


def test_a_dead_location_is_ours_to_tell_and_never_the_targets_fault(places: Region, api: Api) -> None:
    with outside.hook() as hook:
        everywhere = a_monitor(api, places, "everywhere", hook, strategy="all")
        asia_only = a_monitor(api, places, "asia-only", hook, locations=[ASIA])
        until(lambda: {status(api, everywhere), status(api, asia_only)} == {"up"}, what="both are up")

        # When the only worker of a location dies
        places.kill(ASIA)

        # Then rounds do without it, the operator is warned, and what only it can see is an error of Supercheck
        until(lambda: asked(api, everywhere) == LOCATIONS - {ASIA}, within=NOTICED_WITHIN, what="rounds without it")
        until(lambda: ("location_silent", ASIA) in open_warnings(places), within=NOTICED_WITHIN, what="the warning")
        until(lambda: status(api, asia_only) == "error", within=NOTICED_WITHIN, what="an error of Supercheck")
        assert status(api, everywhere) == "up"

        # And when it is back, it is asked again and the warning ends
        places.start(ASIA)
        until(lambda: asked(api, everywhere) == LOCATIONS, within=NOTICED_WITHIN, what="rounds with it")
        until(lambda: status(api, asia_only) == "up", within=NOTICED_WITHIN, what="the error ends")
        until(lambda: ("location_silent", ASIA) not in open_warnings(places), what="the warning ends")

        # And no alert was sent about an outage that did not happen
        results = newest(api, everywhere) + newest(api, asia_only)
        assert not [one for one in results if one["status"] == "down"]
        assert hook.received == []


def unanswered(places: Region) -> set[str]:
    """The locations that left rounds unanswered, as the metrics tell."""
    with places.system.api() as client:
        lines = client.get(f"{places.system.url}/metrics", timeout=20).text.splitlines()
    found = (re.match(r'supercheck_rounds_incomplete_total\{location="([^"]+)"\} (\S+)', line) for line in lines)
    return {match[1] for match in found if match and float(match[2]) > 0}


def answered(api: Api, monitor: str) -> dict[str, dict[str, str]]:
    """Round -> location -> status, the newest first."""
    rounds: dict[str, dict[str, str]] = {}
    for one in newest(api, monitor):
        rounds.setdefault(one["scheduledFor"], {})[one["location"]] = one["status"]
    return rounds


def test_a_location_that_lives_and_says_nothing_delays_a_round_and_decides_nothing_afterwards(
    places: Region, api: Api
) -> None:
    with outside.hook() as hook:
        # Given a monitor of all locations and one of two of them, checked once and then only when asked for
        shared = a_monitor(api, places, "shared", hook, minutes=60, strategy="all")
        distant = a_monitor(api, places, "distant", hook, minutes=60, locations=[EUROPE, ASIA])
        both = {shared, distant}
        until(lambda: {status(api, one) for one in both} == {"up"}, what="both are up")

        # When the workers of two locations stand still, and seem to live
        for code in (EUROPE, ASIA):
            places.pause(code)
        for one in both:
            api.call("POST", f"/api/monitors/{one}/run")

        # Then one round is decided by the locations that answered, the other by none: Supercheck's error, which notifies no user
        until(lambda: status(api, distant) == "error", within=NOTICED_WITHIN, what="an error of Supercheck")
        until(lambda: HOME in next(iter(answered(api, shared).values())), what="the answer of the one that is there")
        until(lambda: decided(places, shared), within=NOTICED_WITHIN, what="the round is decided at its deadline")
        assert status(api, shared) == "up"
        until(lambda: {EUROPE, ASIA} <= unanswered(places), what="the silence is counted")
        until(lambda: ("location_unanswered", EUROPE) in open_warnings(places), what="the operator is warned")

        # When a newer round was decided without them, and then they finish the old one, and find it broken
        for code in (EUROPE, ASIA):
            places.admit(code)
        until(lambda: online(api) == {HOME}, within=NOTICED_WITHIN, what="their silence is noticed")
        late = next(iter(answered(api, shared)))
        api.call("POST", f"/api/monitors/{shared}/run")
        until(lambda: next(iter(answered(api, shared))) != late and decided(places, shared), what="a newer round")
        places.bad = {("shared", EUROPE), ("shared", ASIA)}
        for code in (EUROPE, ASIA):
            places.resume(code)
        until(lambda: answered(api, shared).get(late, {}).get(EUROPE) == "down", what="the late answer")
        until(lambda: len(answered(api, shared)[late]) == len(LOCATIONS), what="both late answers")

        # Then what they found is on record and moves nothing back
        until(lambda: online(api) == LOCATIONS, what="all are there again")
        assert status(api, shared) == "up"
        assert hook.received == []
        places.bad.clear()
        for one in both:
            api.call("DELETE", f"/api/monitors/{one}")


def decided(places: Region, monitor: str) -> bool:
    """Whether the monitor has no open round."""
    with places.system.database() as db:
        found = db.execute("SELECT open_scheduled_for IS NULL FROM monitor_states WHERE monitor_id = %s", [monitor])
        return found.fetchone() == (True,)
