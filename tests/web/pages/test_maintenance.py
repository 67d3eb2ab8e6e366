"""Maintenance on pages: planned with a form, begun and ended with a button."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.tables import MaintenanceWindow, Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor, form_of

NEW = "/maintenance/new"
HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


@pytest.fixture
def monitor(project: Project) -> Monitor:
    return factories.a_monitor(project, name="Shop", tags=["blue"], state={"status": "down", "last_verdict": "down"})


@pytest.fixture
def editor(visitor: Callable[..., Visitor]) -> Visitor:
    return visitor()


def windows() -> list[MaintenanceWindow]:
    from web.http.extensions import db

    db.session.rollback()
    db.session.expire_all()
    return db.session.query(MaintenanceWindow).order_by(MaintenanceWindow.created_at).all()


def test_a_window_is_planned_on_the_clocks_of_its_time_zone(editor: Visitor, monitor: Monitor) -> None:
    answer = editor.submit(
        NEW,
        name="Release",
        scheduleKind="once",
        startsAt=f"{NOW.year + 1}-07-01T22:30",
        timezone="Europe/Berlin",
        durationMinutes=["2", "3600"],
        scope="tag",
        tag="blue",
    )
    assert answer.status_code == 303
    (found,) = windows()
    assert found.starts_at == found.occurs_from == datetime(NOW.year + 1, 7, 1, 20, 30, tzinfo=UTC)
    assert (found.duration_seconds, found.tag, found.monitor_id) == (7200, "blue", None)
    page = editor.get("/maintenance")
    assert f"{found.starts_at:%a} 1 Jul {NOW.year + 1} 22:30\N{EN DASH}" in page
    assert "Europe/Berlin (20:30\N{EN DASH}22:30 UTC)" in page


def test_what_is_saved_is_shown_again_and_saving_it_untouched_changes_nothing(
    editor: Visitor, project: Project, monitor: Monitor
) -> None:
    window = factories.a_window(project, NOW - HOUR, NOW + HOUR, timezone="Asia/Tokyo", monitors=[monitor.id])
    before = (window.starts_at, window.occurs_from, window.occurs_until, window.monitor_ids, window.timezone)
    assert editor.submit(f"/maintenance/{window.id}").status_code == 303
    (after,) = windows()
    assert (after.starts_at, after.occurs_from, after.occurs_until, after.monitor_ids, after.timezone) == before


def test_what_is_wrong_is_said_at_its_input_and_what_was_typed_stays(editor: Visitor) -> None:
    answer = editor.submit(NEW, name="Backup", scheduleKind="cron", cronExpression="now and then", scope="project")
    assert answer.status_code == 422
    assert "Must have five fields" in answer.text
    assert 'value="now and then"' in answer.text
    assert windows() == []


@pytest.mark.parametrize("scope", ["tag", "monitors"])
def test_a_scope_that_names_nothing_is_refused(editor: Visitor, monitor: Monitor, scope: str) -> None:
    answer = editor.submit(NEW, name="Backup", scope=scope, tag="", addMonitor="")
    assert answer.status_code == 422
    assert windows() == []


def test_maintenance_begins_and_ends_with_a_button(editor: Visitor, monitor: Monitor) -> None:
    page = f"/monitors/{monitor.id}"
    answer = editor.post("/maintenance/begin", page, monitor=str(monitor.id), minutes="30")
    assert (answer.status_code, answer.location) == (303, page)
    shown = editor.get(page)
    assert "Maintenance" in shown
    assert "Current result: down" in shown
    assert "Active" in editor.get("/maintenance")
    (window,) = windows()
    assert window.occurs_until is not None
    assert window.occurs_from is not None
    assert window.occurs_until - window.occurs_from == HOUR / 2
    editor.post(f"/maintenance/{window.id}/end", "/maintenance")
    assert "Active" not in editor.get("/maintenance")
    assert "Current result" not in editor.get(page)
    editor.post(f"/maintenance/{window.id}/delete", "/maintenance")
    assert windows() == []


@pytest.mark.parametrize("minutes", ["", "0", "-5", "99999999", "many", "²", "9" * 5000, "nan"])
def test_nonsense_begins_nothing(editor: Visitor, minutes: str) -> None:
    assert editor.post("/maintenance/begin", "/maintenance", minutes=minutes).status_code == 303
    assert windows() == []


def test_the_dashboard_counts_what_is_in_maintenance(editor: Visitor, project: Project, monitor: Monitor) -> None:
    assert "1 monitor is down" in editor.get("/")
    factories.a_window(project, tag="blue")
    shown = editor.get("/")
    assert "1 monitor is down in maintenance" in shown
    assert "status=maintenance" in shown
    assert "Shop" in editor.get("/monitors?status=maintenance")


def test_a_viewer_sees_windows_and_changes_none(
    visitor: Callable[..., Visitor], project: Project, monitor: Monitor
) -> None:
    window = factories.a_window(project)
    viewer = visitor("project_viewer")
    assert "Release" in viewer.get("/maintenance")
    assert "End now" not in viewer.get("/maintenance")
    viewer.get(NEW, 403)
    viewer.get(f"/maintenance/{window.id}", 403)
    for path in (f"/maintenance/{window.id}/end", f"/maintenance/{window.id}/delete", "/maintenance/begin"):
        assert viewer.post(path, "/settings/account").status_code == 403
    assert len(windows()) == 1


def test_a_window_of_another_project_is_not_there(editor: Visitor) -> None:
    theirs = factories.a_window(factories.a_project(name="Elsewhere"))
    editor.get(f"/maintenance/{theirs.id}", 404)
    for act in ("end", "delete"):
        assert editor.post(f"/maintenance/{theirs.id}/{act}", "/maintenance").status_code == 404
    editor.get("/maintenance/no-id-at-all", 404)


def test_an_untouched_form_chooses_no_monitors_and_begins_with_the_next_full_hour(editor: Visitor) -> None:
    shown = editor.form(NEW)
    assert shown["scope"] == ""
    begin = datetime.fromisoformat(shown["startsAt"]).replace(tzinfo=UTC)
    assert timedelta() < begin - datetime.now(UTC) <= HOUR
    assert begin.minute == 0
    answer = editor.submit(NEW, name="Release")
    assert answer.status_code == 422
    assert complaint(answer.text, "scope") == "Choose the monitors for this maintenance."
    assert windows() == []


def complaint(page: str, name: str) -> str:
    found = re.search(rf'data-wrong="{name}"[^>]*>([^<]*)', page)
    return found[1].strip() if found else ""


@pytest.mark.parametrize(
    ("typed", "place", "words"),
    [
        ({"startsAt": ""}, "startsAt", "Choose when the maintenance starts."),
        ({"timezone": "Berlin"}, "timezone", "Try Europe/Berlin."),
        ({"timezone": "Middle-earth"}, "timezone", "Choose one from the list"),
        ({"scope": "monitors", "addMonitor": "Shop"}, "addMonitor", "No monitor or more than one"),
        ({"scope": "monitors"}, "addMonitor", "Choose at least one monitor."),
        ({"scope": "tag", "tag": ""}, "tag", "Choose a tag."),
        ({"scheduleKind": "cron", "cronExpression": ""}, "cronExpression", "Enter five fields"),
    ],
)
def test_what_is_missing_is_told_at_its_own_input_only(
    editor: Visitor, typed: dict[str, str], place: str, words: str
) -> None:
    answer = editor.submit(NEW, **{"name": "Release", "scope": "project", **typed})
    assert answer.status_code == 422
    assert words in complaint(answer.text, place)
    assert answer.text.count("is-invalid") == 1
    assert windows() == []


def test_a_monitor_is_found_by_typing_and_chosen_by_its_name(
    editor: Visitor, project: Project, monitor: Monitor
) -> None:
    twins = [factories.a_monitor(project, name="Twin") for _ in range(2)]
    factories.a_monitor(factories.a_project(name="Elsewhere"), name="Shop of others")
    shop = {"id": str(monitor.id), "label": "Shop"}
    assert editor.open("/maintenance/monitors?q=sho").get_json() == [shop]
    found = editor.open("/maintenance/monitors?q=twin").get_json()
    assert sorted(one["label"] for one in found) == sorted(f"Twin [{one.id}]" for one in twins)
    label = found[0]["label"]
    for name in ("Shop", label):
        assert editor.submit(NEW, name=name, scope="monitors", addMonitor=name).status_code == 303
    chosen = {one.name: [str(each) for each in one.monitor_ids or ()] for one in windows()}
    assert chosen == {"Shop": [str(monitor.id)], label: [found[0]["id"]]}
    assert len(editor.get(NEW)) < 60_000, "the page does not carry every monitor"


def test_several_monitors_are_chosen_without_scripts(editor: Visitor, project: Project, monitor: Monitor) -> None:
    blog, mail = (factories.a_monitor(project, name=name) for name in ("Blog", "Mail"))
    values = editor.form(NEW)
    for name in ("Shop", "Blog", "Mail", "Shop"):
        values["scope"], values["addMonitor"], values["add"] = "monitors", name, "1"
        answer = editor.open(NEW, "POST", values)
        assert answer.status_code == 200
        values = form_of(answer.text)
    assert windows() == [], "adding a monitor saves nothing"
    assert sorted(values.getlist("monitorIds")) == sorted(str(one.id) for one in (monitor, blog, mail))
    values["addMonitor"], values["add"] = "No such monitor", "1"
    assert "No monitor, or more than one" in complaint(editor.open(NEW, "POST", values).text, "addMonitor")
    values.pop("add")
    values["addMonitor"], values["name"] = "", "Release"
    # An unticked box is not sent.
    values.setlist("monitorIds", [str(monitor.id), str(blog.id)])
    assert editor.open(NEW, "POST", values).status_code == 303
    (found,) = windows()
    assert found.monitor_ids == sorted([monitor.id, blog.id])
    shown = editor.get("/maintenance")
    assert "Shop" in shown
    assert "Blog" in shown
    path = f"/maintenance/{found.id}"
    assert editor.submit(path, addMonitor="Mail", add="1").status_code == 200
    assert editor.submit(path, monitorIds=[str(blog.id)], addMonitor="Mail").status_code == 303
    (found,) = windows()
    assert found.monitor_ids == sorted([blog.id, mail.id])


def test_a_window_without_monitors_is_saved_only_while_it_is_disabled(
    editor: Visitor, project: Project, monitor: Monitor
) -> None:
    window = factories.a_window(project, monitors=[monitor.id])
    path = f"/maintenance/{window.id}"
    assert editor.submit(path, monitorIds=[]).status_code == 422
    assert editor.submit(f"/monitors/delete?ids={monitor.id}").status_code == 303
    (found,) = windows()
    assert (found.enabled, found.monitor_ids) == (False, [])
    assert "no monitor: all of them are deleted" in editor.get("/maintenance")
    assert editor.submit(path, name="Kept").status_code == 303
    answer = editor.submit(path, enabled=["off", "on"])
    assert complaint(answer.text, "addMonitor") == "Choose at least one monitor."


def test_a_thousand_monitors_go_through_the_form(editor: Visitor, project: Project, monitor: Monitor) -> None:
    ids = factories.many_monitors(project, 1000)
    window = factories.a_window(project, NOW + HOUR, NOW + 2 * HOUR, monitors=ids)
    path = f"/maintenance/{window.id}"
    assert editor.submit(path, name="All of them").status_code == 303
    assert len(windows()[0].monitor_ids or ()) == 1000
    answer = editor.submit(path, addMonitor="Shop")
    assert answer.status_code == 422
    assert "1000" in complaint(answer.text, "monitorIds")


def test_the_form_says_what_the_window_means_before_it_is_saved(
    editor: Visitor, project: Project, monitor: Monitor
) -> None:
    factories.a_monitor(project, name="Not blue")
    begin = f"{NOW.year + 1}-07-01T22:00"
    fields = {"startsAt": begin, "timezone": "Europe/Berlin", "scope": "project"}

    def meaning(**changes: str) -> str:
        values = editor.form(NEW)
        for name, value in {**fields, **changes}.items():
            values[name] = value
        return str(editor.open("/maintenance/summary", "POST", values).get_json()["summary"])

    said = meaning()
    assert said.endswith("22:00\N{EN DASH}23:00 Europe/Berlin (20:00\N{EN DASH}21:00 UTC), 2 monitors, alerts off.")
    assert "1 monitor, alerts off." in meaning(scope="tag", tag="blue")
    assert meaning(scope="") == meaning(startsAt="") == meaning(timezone="Berlin") == ""
    assert windows() == []
    editor.submit(NEW, name="Release", **fields)
    assert said in editor.get("/maintenance"), "the next page says the same"


def test_no_button_puts_the_whole_project_into_maintenance_unchosen(editor: Visitor, monitor: Monitor) -> None:
    editor.post("/maintenance/begin", "/maintenance", minutes="30")
    assert windows() == []
    assert "Choose the monitors for this maintenance" in editor.get("/maintenance")
    editor.post("/maintenance/begin", "/maintenance", minutes="30", scope="project")
    assert len(windows()) == 1


def test_the_dashboard_lists_what_is_down_in_maintenance(editor: Visitor, project: Project, monitor: Monitor) -> None:
    factories.a_monitor(project, name="Well", state={"status": "up", "last_verdict": "up"})
    factories.a_window(project)
    page = editor.get("/")
    assert "1 monitor is down in maintenance" in page
    assert "Down, in maintenance" in page
    assert f'id="trouble-{monitor.id}"' in page
    assert "Shop" in editor.get("/monitors?status=maintenance-down")
    assert "Well" not in editor.get("/monitors?status=maintenance-down")
