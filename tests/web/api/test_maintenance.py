"""Maintenance windows over the API, and what monitors show during them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.tables import Monitor
from tests import factories
from tests.web.api.cast import Cast, Watch

WINDOWS = "/maintenance-windows"
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def z(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def monitor(cast: Cast) -> Monitor:
    return factories.a_monitor(cast.project, tags=["blue"], state={"status": "up", "last_verdict": "up"})


def made(cast: Cast, **values: Any) -> dict[str, Any]:
    answer = cast.editor.post(WINDOWS, {"durationMinutes": 60, **values})
    assert answer.status_code == 201, answer.json
    return answer.json  # type: ignore[return-value]


def audited(cast: Cast) -> list[str]:
    from models.tables import AuditEvent
    from web.http.extensions import db

    db.session.rollback()
    events = db.session.query(AuditEvent).order_by(AuditEvent.created_at).all()
    return [one.action for one in events if one.action.startswith("maintenance.")]


def test_a_window_without_a_begin_begins_now(cast: Cast, monitor: Monitor) -> None:
    found = made(cast, name="Release", monitorId=str(monitor.id))
    assert (found["state"], found["monitorName"], found["tag"]) == ("active", monitor.name, None)
    assert found["occursFrom"] == found["startsAt"]
    begins, ends = (datetime.fromisoformat(found[name]) for name in ("occursFrom", "occursUntil"))
    assert ends - begins == HOUR
    assert abs(begins - datetime.now(UTC)) < timedelta(minutes=5)
    assert audited(cast) == ["maintenance.created"]


def test_a_recurring_window_knows_when_it_comes_next(cast: Cast) -> None:
    found = made(cast, cronExpression="30 3 * * *", timezone="Europe/Berlin", tag=" blue ")
    assert (found["state"], found["startsAt"], found["tag"]) in [("scheduled", None, "blue"), ("active", None, "blue")]
    assert datetime.fromisoformat(found["occursUntil"]) - datetime.fromisoformat(found["occursFrom"]) == HOUR


def test_a_request_that_is_repeated_with_its_key_makes_one(cast: Cast) -> None:
    headers = {"Idempotency-Key": "once"}
    answers = [cast.editor.post(WINDOWS, {"durationMinutes": 5}, headers=headers).json for _ in range(2)]
    assert answers[0] == answers[1]
    assert cast.viewer.get(WINDOWS).json["pagination"]["total"] == 1  # type: ignore[index]


OTHER = str(uuid4())


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["durationMinutes"]),
        ({"durationMinutes": 0}, ["durationMinutes"]),
        ({"durationMinutes": 43_201}, ["durationMinutes"]),
        ({"durationMinutes": 1.5}, ["durationMinutes"]),
        ({"durationMinutes": 5, "minutes": 5}, ["minutes"]),
        ({"durationMinutes": 5, "name": " "}, ["name"]),
        ({"durationMinutes": 5, "startsAt": "2020-01-01T00:00:00Z"}, ["startsAt"]),
        ({"durationMinutes": 5, "startsAt": "2020-01-01T00:00:00"}, ["startsAt"]),
        ({"durationMinutes": 5, "startsAt": "9999-12-31T23:59:59Z"}, ["startsAt"]),
        ({"durationMinutes": 5, "cronExpression": "* * * *"}, ["cronExpression"]),
        ({"durationMinutes": 5, "cronExpression": "nonsense every day at 3"}, ["cronExpression"]),
        ({"durationMinutes": 5, "cronExpression": "0 0 31 2 *"}, ["cronExpression"]),
        ({"durationMinutes": 5, "cronExpression": "0 3 * * *", "startsAt": "2099-01-01T00:00:00Z"}, ["startsAt"]),
        ({"durationMinutes": 5, "cronExpression": "0 3 * * *", "timezone": "Mars/Olympus"}, ["timezone"]),
        ({"durationMinutes": 5, "cronExpression": "0 3 * * *", "timezone": "localtime"}, ["timezone"]),
        ({"durationMinutes": 5, "monitorId": OTHER}, ["monitorId"]),
        ({"durationMinutes": 5, "monitorId": OTHER, "tag": "blue"}, ["monitorId", "tag"]),
        ({"durationMinutes": 5, "tag": "a,b"}, ["tag"]),
    ],
)
def test_a_window_that_cannot_be_is_refused_by_its_field(
    cast: Cast, watch: Watch, body: dict[str, Any], fields: list[str]
) -> None:
    answer = cast.editor.post(WINDOWS, body)
    assert answer.status_code == 422
    assert sorted(answer.json["error"]["fields"]) == fields  # type: ignore[index]
    assert watch.unchanged()


def test_a_monitor_of_another_project_is_not_there(cast: Cast) -> None:
    theirs = factories.a_monitor(cast.other_project)
    answer = cast.editor.post(WINDOWS, {"durationMinutes": 5, "monitorId": str(theirs.id)})
    assert answer.json["error"]["fields"] == {"monitorId": "There is no such monitor in this project."}  # type: ignore[index]


@pytest.mark.parametrize("who", ["viewer", "stranger", "anonymous"])
def test_others_change_nothing(cast: Cast, connection: Any, who: str) -> None:
    from tests.web.api.cast import Watch, contents

    window = made(cast)
    watch = Watch(connection, contents(connection))
    one, caller = f"{WINDOWS}/{window['id']}", getattr(cast, who)
    refused = {"viewer": 403, "stranger": 404, "anonymous": 401}[who]
    for answer in (
        caller.patch(one, {"name": "Mine"}),
        caller.put(one, {"name": "Mine"}),
        caller.post(f"{one}/end"),
        caller.delete(one),
    ):
        assert answer.status_code == refused
    assert caller.get(one).status_code == {"viewer": 200, "stranger": 404, "anonymous": 401}[who]
    assert watch.unchanged()


def test_absent_fields_stay_and_what_an_answer_holds_may_be_sent_back(cast: Cast) -> None:
    window = made(cast, name="Release", startsAt=z(NOW + HOUR), tag="blue")
    one = f"{WINDOWS}/{window['id']}"
    found = cast.editor.put(one, {**window, "name": "Big release"}).json
    assert found == {**window, "name": "Big release", "updatedAt": found["updatedAt"]}  # type: ignore[index]
    assert cast.editor.patch(one, {"tag": None}).json["tag"] is None  # type: ignore[index]
    assert audited(cast) == ["maintenance.created", "maintenance.changed", "maintenance.changed"]


def test_a_schedule_or_a_scope_takes_the_place_of_the_other(cast: Cast, monitor: Monitor) -> None:
    window = made(cast, startsAt=z(NOW + HOUR), tag="blue")
    one = f"{WINDOWS}/{window['id']}"
    found = cast.editor.patch(one, {"cronExpression": "0 3 * * *", "monitorId": str(monitor.id)}).json
    assert (found["startsAt"], found["tag"], found["monitorName"]) == (None, None, monitor.name)  # type: ignore[index]
    found = cast.editor.patch(one, {"startsAt": z(NOW + HOUR), "tag": "blue"}).json
    assert (found["cronExpression"], found["monitorId"]) == (None, None)  # type: ignore[index]
    assert found["occursFrom"] == z(NOW + HOUR)  # type: ignore[index]


def test_a_window_that_is_switched_off_is_not_on(cast: Cast, monitor: Monitor) -> None:
    one = f"{WINDOWS}/{made(cast)['id']}"
    found = cast.editor.patch(one, {"enabled": False}).json
    assert (found["state"], found["occursFrom"]) == ("disabled", None)  # type: ignore[index]
    assert found["lastFrom"] is not None, "what has passed of it was maintenance"  # type: ignore[index]
    assert status(cast, monitor) == "up"
    assert cast.editor.patch(one, {"enabled": True}).json["state"] == "active"  # type: ignore[index]


def test_a_name_may_change_after_the_window_is_over(cast: Cast) -> None:
    window = factories.a_window(cast.project, NOW - 2 * HOUR, NOW - HOUR)
    one = f"{WINDOWS}/{window.id}"
    found = cast.editor.patch(one, {"name": "Was a release"}).json
    assert (found["name"], found["state"]) == ("Was a release", "over")  # type: ignore[index]
    assert cast.editor.patch(one, {"durationMinutes": 30}).status_code == 422


def test_ending_a_window_ends_it_now_and_a_recurring_one_comes_again(cast: Cast) -> None:
    once, daily = made(cast), made(cast, cronExpression="0 * * * *", durationMinutes=59)
    found = cast.editor.post(f"{WINDOWS}/{once['id']}/end").json
    assert (found["state"], found["occursFrom"], found["lastFrom"]) == ("over", None, once["occursFrom"])  # type: ignore[index]
    assert cast.editor.post(f"{WINDOWS}/{once['id']}/end").status_code == 409
    if daily["state"] == "active":
        found = cast.editor.post(f"{WINDOWS}/{daily['id']}/end").json
        assert found["state"] == "scheduled"  # type: ignore[index]
        assert datetime.fromisoformat(found["occursFrom"]) > datetime.now(UTC)  # type: ignore[index]
    assert "maintenance.ended" in audited(cast)


def test_a_deleted_window_is_gone(cast: Cast, monitor: Monitor) -> None:
    one = f"{WINDOWS}/{made(cast)['id']}"
    assert cast.editor.delete(one).status_code == 204
    assert cast.editor.get(one).status_code == 404
    assert status(cast, monitor) == "up"
    assert audited(cast)[-1] == "maintenance.deleted"


def test_the_list_is_filtered_by_state_and_by_the_monitor_it_holds_for(cast: Cast, monitor: Monitor) -> None:
    factories.a_window(cast.project, name="Active", tag="blue")
    factories.a_window(cast.project, NOW + HOUR, NOW + 2 * HOUR, name="Planned", monitor_id=monitor.id)
    factories.a_window(cast.project, name="Over", occurs_from=None, occurs_until=None)
    factories.a_window(cast.project, name="Off", enabled=False, occurs_from=None, occurs_until=None, tag="green")
    factories.a_window(cast.other_project, name="Theirs")

    def names(query: str = "") -> list[str]:
        return [one["name"] for one in cast.viewer.get(WINDOWS + query).json["data"]]  # type: ignore[index]

    assert names() == ["Active", "Off", "Over", "Planned"]
    for state, name in (("active", "Active"), ("scheduled", "Planned"), ("over", "Over"), ("disabled", "Off")):
        assert names(f"?state={state}") == [name]
    assert names(f"?monitorId={monitor.id}") == ["Active", "Over", "Planned"]
    assert names(f"?monitorId={uuid4()}") == []


# --- what monitors show ----------------------------------------------------------------------


def status(cast: Cast, monitor: Monitor) -> str:
    return str(cast.viewer.get(f"/monitors/{monitor.id}").json["status"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, "maintenance"),
        ({"tag": "blue"}, "maintenance"),
        ({"tag": "green"}, "up"),
        ({"begins": NOW + HOUR, "ends": NOW + 2 * HOUR}, "up"),
        ({"begins": NOW - 2 * HOUR, "ends": NOW - HOUR}, "up"),
    ],
)
def test_a_monitor_shows_maintenance_while_a_window_is_on(
    cast: Cast, monitor: Monitor, values: dict[str, Any], shown: str
) -> None:
    factories.a_window(cast.project, **values)
    assert status(cast, monitor) == shown
    listed = cast.viewer.get("/monitors").json["data"]  # type: ignore[index]
    assert [one["status"] for one in listed] == [shown]
    for word in ("up", "maintenance"):
        found = cast.viewer.get(f"/monitors?status={word}").json["data"]  # type: ignore[index]
        assert len(found) == (word == shown)


def test_paused_goes_before_maintenance_and_maintenance_before_our_own_trouble(cast: Cast) -> None:
    factories.a_window(cast.project)
    paused = factories.a_monitor(cast.project, enabled=False)
    unchecked = factories.a_monitor(cast.project, state={"status": "down", "last_verdict": "error"})
    assert status(cast, paused) == "paused"
    assert status(cast, unchecked) == "maintenance"


def test_a_window_follows_its_tag(cast: Cast, monitor: Monitor) -> None:
    made(cast, tag="blue")
    cast.editor.patch("/tags/blue", {"name": "navy"})
    found = cast.viewer.get(WINDOWS).json["data"]  # type: ignore[index]
    assert [one["tag"] for one in found] == ["navy"]
    assert status(cast, monitor) == "maintenance"


# --- several monitors ------------------------------------------------------------------------


@pytest.fixture
def three(cast: Cast) -> list[str]:
    """Ids of three monitors that are up, sorted."""
    state = {"status": "up", "last_verdict": "up"}
    return sorted(str(factories.a_monitor(cast.project, name=f"M{n}", state=state).id) for n in range(3))


def test_a_window_is_for_the_monitors_of_its_list(cast: Cast, monitor: Monitor, three: list[str]) -> None:
    window = made(cast, monitorIds=[three[1], three[0], three[1].upper()])
    assert (window["monitorIds"], window["monitorId"], window["monitorName"]) == (three[:2], None, None)
    listed = {one["id"]: one["status"] for one in cast.viewer.get("/monitors").json["data"]}  # type: ignore[index]
    assert listed == {three[0]: "maintenance", three[1]: "maintenance", three[2]: "up", str(monitor.id): "up"}
    for one, count in ((three[0], 1), (three[2], 0)):
        assert len(cast.viewer.get(f"{WINDOWS}?monitorId={one}").json["data"]) == count  # type: ignore[index]


def test_the_only_monitor_of_a_list_is_also_the_monitor_of_the_window(cast: Cast, three: list[str]) -> None:
    window = made(cast, monitorId=three[0])
    assert (window["monitorId"], window["monitorName"][0], window["monitorIds"]) == (three[0], "M", [three[0]])
    assert made(cast, monitorIds=[three[2]])["monitorId"] == three[2]
    assert made(cast)["monitorIds"] is None
    assert made(cast, monitorId=None, monitorIds=three)["monitorIds"] == three


def test_of_monitor_and_list_the_one_that_was_changed_counts(cast: Cast, three: list[str]) -> None:
    window = made(cast, monitorIds=[three[0]])
    one = f"{WINDOWS}/{window['id']}"

    def ids(body: dict[str, Any]) -> Any:
        answer = cast.editor.put(one, body)
        assert answer.status_code == 200, answer.json
        return answer.json["monitorIds"]  # type: ignore[index]

    assert ids({**window, "monitorIds": three}) == three
    assert ids({"monitorId": None, "name": "Wide"}) == three, "null is what a window of several monitors shows"
    assert ids({"monitorId": three[1]}) == [three[1]]
    assert ids({"monitorId": three[2], "monitorIds": [three[1]]}) == [three[2]]
    answer = cast.editor.patch(one, {"monitorId": three[0], "monitorIds": [three[1], three[2]]})
    assert answer.json["error"]["fields"] == {"monitorId": "Differs from monitorIds: send only one of the two."}  # type: ignore[index]
    assert ids({"monitorId": None}) is None, "the whole project, as before"
    assert ids({"tag": "blue"}) is None
    assert ids({"monitorIds": three}) == three
    assert cast.viewer.get(one).json["tag"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "Name at least one monitor"),
        ([str(uuid4())], "There is no such monitor in this project."),
        ([str(uuid4()) for _ in range(1001)], "1000"),
    ],
)
def test_a_list_that_cannot_be_is_refused(cast: Cast, ids: list[str], words: str) -> None:
    answer = cast.editor.post(WINDOWS, {"durationMinutes": 5, "monitorIds": ids})
    assert answer.status_code == 422
    assert words in answer.json["error"]["fields"]["monitorIds"]  # type: ignore[index]


def test_what_is_unknown_in_a_list_is_named(cast: Cast, three: list[str]) -> None:
    theirs = str(factories.a_monitor(cast.other_project).id)
    answer = cast.editor.post(WINDOWS, {"durationMinutes": 5, "monitorIds": [three[0], theirs]})
    assert theirs in answer.json["error"]["fields"]["monitorIds"]  # type: ignore[index]
    answer = cast.editor.post(WINDOWS, {"durationMinutes": 5, "monitorIds": [three[0], "nonsense"]})
    assert list(answer.json["error"]["fields"]) == ["monitorIds.1"]  # type: ignore[index]


def test_a_deleted_monitor_leaves_its_windows_and_the_last_one_disables_them(
    cast: Cast, monitor: Monitor, three: list[str]
) -> None:
    one = f"{WINDOWS}/{made(cast, monitorIds=three[:2])['id']}"
    cast.editor.delete(f"/monitors/{three[0]}")
    assert (cast.viewer.get(one).json["monitorIds"], status(cast, monitor)) == ([three[1]], "up")  # type: ignore[index]
    assert cast.viewer.get(f"/monitors/{three[1]}").json["status"] == "maintenance"  # type: ignore[index]
    cast.editor.post("/monitors/bulk", {"ids": [three[1]], "action": "delete"})
    found = cast.viewer.get(one).json
    assert (found["state"], found["monitorIds"], found["occursFrom"]) == ("disabled", [], None)  # type: ignore[index]
    assert status(cast, monitor) == "up", "it does not become a window of the whole project"
    assert audited(cast)[-1] == "maintenance.disabled"
    assert cast.editor.put(one, {**found, "name": "Kept"}).status_code == 200  # type: ignore[dict-item]
    assert "monitorIds" in cast.editor.patch(one, {"enabled": True}).json["error"]["fields"]  # type: ignore[index]
    assert cast.editor.patch(one, {"enabled": True, "monitorIds": [str(monitor.id)]}).json["state"] == "active"  # type: ignore[index]


def test_a_window_of_a_process_of_the_release_before_is_for_its_one_monitor(
    cast: Cast, monitor: Monitor, three: list[str]
) -> None:
    window = factories.a_window(cast.project, monitor_id=monitor.id)
    found = cast.viewer.get(f"{WINDOWS}/{window.id}").json
    assert (found["monitorId"], found["monitorIds"]) == (str(monitor.id), [str(monitor.id)])  # type: ignore[index]
    assert [status(cast, monitor), cast.viewer.get(f"/monitors/{three[0]}").json["status"]] == ["maintenance", "up"]  # type: ignore[index]
    cast.editor.delete(f"/monitors/{monitor.id}")
    assert cast.viewer.get(f"{WINDOWS}/{window.id}").json["state"] == "disabled"  # type: ignore[index]
    assert cast.viewer.get(f"/monitors/{three[0]}").json["status"] == "up"  # type: ignore[index]
