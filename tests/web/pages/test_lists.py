"""The dashboard, the list of monitors, the alert history, schedules and locations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.tables import OperatorWarning, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db


def test_an_empty_installation_says_what_to_do_first(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    assert "Watch your first target" in someone.get("/")
    assert "No monitors yet" in someone.get("/monitors")
    assert "No alerts yet" in someone.get("/alerts")
    assert "No channels yet" in someone.get("/notification-providers")
    assert "No schedules yet" in someone.get("/schedules")


@pytest.mark.parametrize(
    ("states", "headline"),
    [
        ([{"status": "up"}], "The monitor is up"),
        ([{"status": "up"}] * 2, "All monitors are up"),
        ([{"status": "up"}, {"status": "down"}], "1 monitor is down"),
        ([{"status": "up"}, {"status": "up", "last_verdict": "error"}], "1 monitor could not be checked"),
        ([{"status": "pending"}], "Waiting for the first check"),
    ],
)
def test_the_headline_says_how_it_stands(
    visitor: Callable[..., Visitor], project: Project, states: list[dict[str, Any]], headline: str
) -> None:
    for state in states:
        factories.a_monitor(project, state=state)
    assert headline in visitor().get("/")


def test_only_operators_see_the_operators_warnings(visitor: Callable[..., Visitor], project: Project) -> None:
    db.session.add(OperatorWarning(kind="no_worker", subject="us-east", message="No worker runs in us-east."))
    db.session.add(
        OperatorWarning(kind="late", subject="x", message="It was late once.", resolved_at=datetime.now(UTC))
    )
    db.session.commit()
    assert "No worker runs in us-east." in visitor("org_owner").get("/")
    assert "It was late once." not in visitor("org_owner").get("/")
    assert "No worker runs in us-east." not in visitor("project_admin").get("/")


def test_the_list_shows_only_the_projects_own(visitor: Callable[..., Visitor], project: Project) -> None:
    factories.a_monitor(project, name="Mine")
    foreign = factories.a_monitor(factories.a_project(name="Elsewhere"), name="Theirs")
    someone = visitor()
    for path in ("/", "/monitors", f"/monitors/partials/rows?ids={foreign.id},nonsense", "/schedules"):
        assert "Theirs" not in someone.get(path)
    assert "Mine" in someone.get("/monitors")


def test_search_and_filters_narrow_the_list(visitor: Callable[..., Visitor], project: Project) -> None:
    factories.a_monitor(project, name="Shop 100%", tags=["shop"], state={"status": "down"})
    factories.a_monitor(project, "ping_host", name="Router", target="192.0.2.7", state={"status": "up"})
    factories.a_monitor(project, name="Old", enabled=False)
    someone = visitor()

    def found(question: str) -> set[str]:
        page = someone.get(f"/monitors?{question}")
        return {name for name in ("Shop 100%", "Router", "Old") if f">{name}</bdi></a>" in page}

    assert found("") == {"Shop 100%", "Router", "Old"}
    assert found("q=shop") == {"Shop 100%"}
    assert found("q=100%25") == {"Shop 100%"}
    assert found("q=%25") == {"Shop 100%"}
    assert found("q=192.0") == {"Router"}
    assert found("status=down") == {"Shop 100%"}
    assert found("status=paused") == {"Old"}
    assert found("type=ping_host") == {"Router"}
    assert found("tag=shop") == {"Shop 100%"}
    assert found("tag=nothing") == set()


def test_what_is_down_comes_first(visitor: Callable[..., Visitor], project: Project) -> None:
    for name, status in (("Alpha", "up"), ("Beta", "down"), ("Gamma", "pending")):
        factories.a_monitor(project, name=name, state={"status": status})
    page = visitor().get("/monitors")
    places = [page.index(f">{name}</bdi></a>") for name in ("Beta", "Gamma", "Alpha")]
    assert places == sorted(places)


def test_long_lists_come_in_pages_that_keep_their_filters(visitor: Callable[..., Visitor], project: Project) -> None:
    for number in range(52):
        factories.a_monitor(project, name=f"Shop {number:02}")
    page = visitor().get("/monitors?q=shop")
    assert "1–50 of 52" in page
    assert "/monitors?q=shop&amp;page=2" in page
    assert "51–52 of 52" in visitor().get("/monitors?q=shop&page=2")


def test_an_action_is_done_to_all_that_were_chosen(
    visitor: Callable[..., Visitor], project: Project, connection: Any
) -> None:
    chosen = [factories.a_monitor(project, name=f"M{number}") for number in range(3)]
    someone = visitor()
    ids = [str(one.id) for one in chosen[:2]]
    answer = someone.post("/monitors/bulk?status=up", ids=ids, action="pause")
    assert answer.location == "/monitors?status=up"
    assert "Paused 2 monitors." in someone.get("/monitors")
    assert connection.execute("SELECT count(*) FROM monitors WHERE NOT enabled").fetchone() == (2,)
    someone.post("/monitors/bulk", ids=ids, action="addTag", tag_text="night")
    assert connection.execute("SELECT count(*) FROM monitors WHERE tags = '{night}'").fetchone() == (2,)
    someone.post("/monitors/bulk", ids=ids, action="run")
    assert "Could not check 2 monitors: This monitor is paused." in someone.get("/monitors")
    answer = someone.post("/monitors/bulk", ids=ids, action="delete")
    assert answer.location.startswith("/monitors/delete?ids=")
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (3,)


@pytest.mark.parametrize("wrong", [{"action": "explode"}, {"action": "addTag"}, {"action": "pause", "ids": []}])
def test_a_senseless_action_changes_nothing(
    visitor: Callable[..., Visitor], project: Project, connection: Any, wrong: dict[str, Any]
) -> None:
    monitor = factories.a_monitor(project)
    answer = visitor().post("/monitors/bulk", **{"ids": [str(monitor.id)], **wrong})
    assert answer.status_code == 303
    assert connection.execute("SELECT version, enabled FROM monitors").fetchone() == (1, True)


def test_the_history_tells_of_every_delivery(visitor: Callable[..., Visitor], project: Project) -> None:
    provider = factories.a_provider(project, name="On call")
    monitor = factories.a_monitor(project, name="Payments")
    alert = factories.an_alert(monitor, provider, status="failed")
    alert.deliveries[0].error = "The service answered 404."
    muted = {"status": "suppressed", "suppressed_because": "muted", "alert_number": 2}
    factories.an_alert(factories.a_monitor(project, name="Search"), **muted)
    db.session.commit()
    someone = visitor()
    page = someone.get("/alerts")
    assert "On call" in page
    assert "The service answered 404." in page
    assert "Not sent: alerts are muted" in page
    assert "Search" not in someone.get(f"/alerts?monitorId={monitor.id}")
    assert "Payments" not in someone.get("/alerts?status=suppressed")


def test_a_location_without_workers_is_told(visitor: Callable[..., Visitor]) -> None:
    page = visitor().get("/locations")
    assert "Falkenstein" in page
    assert page.count("No worker online") == 2


def test_the_newest_outage_comes_first_however_many_there_are(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    now = datetime.now(UTC)
    for hours in range(2, 30):
        since = now - timedelta(hours=hours)
        factories.a_monitor(project, name=f"A {hours:02}", state={"status": "down", "down_since": since})
    since = now - timedelta(minutes=7)
    factories.a_monitor(project, name="Zulu", state={"status": "down", "down_since": since})
    unknown = {"status": "up", "last_verdict": "error"}
    factories.a_monitor(project, name="Blocked", state=unknown)
    page = visitor().get("/").partition("Needs attention")[2].partition("Recent alerts")[0]
    assert page.index("New in the last hour") < page.index(">Zulu</bdi></a>") < page.index("Down for more than an hour")
    assert (
        page.index(">A 02</bdi></a>")
        < page.index(">A 10</bdi></a>")
        < page.index("Check failed")
        < page.index(">Blocked</bdi></a>")
    )
    assert ">A 29</bdi></a>" not in page
    assert f">{since:%H:%M UTC}</time>" in page or f"{since:%b %H:%M UTC}</time>" in page
    assert ">7 min" in page


def test_a_list_tells_which_monitors_it_has_now(visitor: Callable[..., Visitor], project: Project) -> None:
    down = [factories.a_monitor(project, name=name, state={"status": "down"}) for name in ("B", "A")]
    factories.a_monitor(project, state={"status": "up"})
    someone = visitor()
    part = someone.get("/monitors/partials/set?status=down")
    assert f'data-set="{down[1].id},{down[0].id}"' in part
    assert "2 monitors found" in part
    assert 'data-count="up">1<' in part
    assert f'data-set="{down[1].id},{down[0].id}"' in someone.get("/monitors?status=down")
    assert 'data-set=""' in someone.get("/monitors/partials/set?q=nothing")
    # A list that is empty is live, too.
    assert "data-members=" in someone.get("/monitors?q=nothing")


def test_enter_in_the_form_adds_the_tag_that_was_typed_and_does_nothing_else(
    visitor: Callable[..., Visitor], project: Project, connection: Any
) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor()
    first = someone.get("/monitors").partition("data-bulk>")[2]
    assert first.index('value="enter"') < first.index('value="run"')
    someone.post("/monitors/bulk", ids=[str(monitor.id)], action="enter", tag_text=" neu ")
    assert "Added tag neu to 1 monitor." in someone.get("/monitors")
    assert connection.execute("SELECT tags FROM monitors").fetchone() == (["neu"],)
    someone.post("/monitors/bulk", ids=[str(monitor.id)], action="enter", tag_text="")
    assert "Choose an action for the selected monitors." in someone.get("/monitors")
    assert connection.execute("SELECT tags, enabled FROM monitors").fetchone() == (["neu"], True)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("pause", "Paused 1 monitor."),
        ("run", "Started a check of 1 monitor."),
        ("removeTag", "Removed tag {x} from 1 monitor."),
    ],
)
def test_what_was_done_is_named(visitor: Callable[..., Visitor], project: Project, action: str, said: str) -> None:
    monitor = factories.a_monitor(project, tags=["{x}"])
    someone = visitor()
    tag = {"tag_text": "{x}"} if action.endswith("Tag") else {}
    someone.post("/monitors/bulk", ids=[str(monitor.id)], action=action, **tag)
    assert said in someone.get("/monitors")


@pytest.mark.parametrize("name", ["monitor_id", "endpoint", "_external", "_scheme", "_anchor", "page", "values"])
def test_no_query_breaks_a_page_or_turns_its_links(
    visitor: Callable[..., Visitor], project: Project, name: str
) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor()
    for path in ("/monitors", "/alerts", "/incidents", f"/monitors/{monitor.id}"):
        page = someone.get(f"{path}?{name}=https")
        assert "https://localhost" not in page
        assert f"{path.partition('/m')[0]}" in page
    answer = someone.post(f"/monitors/bulk?{name}=https", ids=[str(monitor.id)], action="pause")
    assert answer.location.startswith("/monitors")


@pytest.mark.parametrize("path", ["/monitors", "/alerts", "/incidents", "/settings/audit"])
def test_filters_have_a_button_and_nothing_submits_them_on_change(
    visitor: Callable[..., Visitor], project: Project, path: str
) -> None:
    monitor = factories.a_monitor(project)
    factories.an_alert(monitor)
    factories.an_incident(monitor)
    someone = visitor("org_owner")
    someone.post(f"/monitors/{monitor.id}/switch", enabled="false")
    form = someone.get(path).partition('<form class="filters')[2].partition("</form>")[0]
    assert "<select" in form
    assert "<button" in form
    assert "data-submits" not in form


def test_the_search_looks_into_name_target_description_and_tags(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    factories.a_monitor(project, name="By name: harbour")
    factories.a_monitor(project, name="One", target="https://harbour.example/")
    factories.a_monitor(project, name="Two", description="Ships leave the Harbour.")
    factories.a_monitor(project, name="Three", tags=["harbour-side", "b"])
    factories.a_monitor(project, name="Unrelated")
    page = visitor().get("/monitors?q=HARBOUR")
    assert "4 monitors found" in page
    assert "Unrelated" not in page
    assert "0 monitors found" in visitor().get("/monitors?q=100%25")


def test_the_state_filter_knows_every_state(visitor: Callable[..., Visitor]) -> None:
    page = visitor().get("/monitors?status=maintenance")
    assert '<option value="maintenance" selected>Maintenance</option>' in page


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/monitors?q=&status=up&type=&tag=", "/monitors?status=up"),
        ("/monitors?q=", "/monitors"),
        ("/alerts?status=failed&type=&page=2", "/alerts?status=failed&page=2"),
        ("/monitors?q=a%26b&tag=&tag=%C3%A4", "/monitors?q=a%26b&tag=%C3%A4"),
    ],
)
def test_empty_fields_do_not_stay_in_the_address(visitor: Callable[..., Visitor], path: str, kept: str) -> None:
    someone = visitor()
    answer = someone.open(path)
    assert (answer.status_code, answer.location) == (302, kept)
    assert someone.open(kept).status_code == 200


def test_a_list_by_name_has_a_next_page_and_a_list_by_time_an_older_one(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    for number in range(51):
        monitor = factories.a_monitor(project, name=f"Monitor {number:02}")
        factories.an_alert(monitor)
    someone = visitor()
    names, times = someone.get("/monitors?page=2"), someone.get("/alerts?page=2")
    assert "Previous</a>" in names
    assert "Newer</a>" in times
    assert "Next<svg" in someone.get("/monitors")
    assert "Older<svg" in someone.get("/alerts")


def test_an_error_page_has_its_icon(visitor: Callable[..., Visitor]) -> None:
    assert 'rel="icon"' in visitor().get("/nowhere", 404)
