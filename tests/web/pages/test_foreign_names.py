"""Names in a query string are anybody's: they never become options of our own functions."""

from collections.abc import Callable

import pytest

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor, form_of

PAGES = (
    "/",
    "/monitors",
    "/monitors/{monitor}",
    "/monitors/{monitor}/partial",
    "/alerts",
    "/alerts/partial",
    "/incidents",
    "/incidents/partial",
    "/alerts/undelivered",
    "/schedules",
    "/locations",
    "/maintenance",
    "/maintenance/new",
    "/notification-providers",
    "/settings/audit",
    "/settings/members",
    "/settings/projects",
)
NAMES = ("endpoint", "_method", "_external", "_scheme", "_anchor", "monitor_id", "self", "page", "values", "number")


@pytest.fixture
def pages(project: Project) -> list[str]:
    provider = factories.a_provider(project)
    monitors = [factories.a_monitor(project, name=f"M{number}", providers=(provider,)) for number in range(60)]
    for monitor in monitors:
        factories.an_alert(monitor, provider)
        factories.an_incident(monitor)
    for _ in range(30):
        factories.a_result(monitors[0])
    return [path.format(monitor=monitors[0].id) for path in PAGES]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_shown_whatever_its_query_names(
    visitor: Callable[..., Visitor], pages: list[str], name: str
) -> None:
    someone = visitor("org_owner")
    for path in pages:
        answer = someone.open(f"{path}?{name}=x")
        assert answer.status_code in (200, 404), (path, answer.status_code)
        assert answer.status_code == someone.open(path).status_code, path


@pytest.mark.parametrize("name", NAMES)
def test_a_bulk_action_comes_back_to_the_filtered_list(
    visitor: Callable[..., Visitor], pages: list[str], name: str
) -> None:
    someone = visitor()
    action = f"/monitors/bulk?{name}=x"
    values = form_of(someone.get(f"/monitors?{name}=x"), action)
    answer = someone.open(action, "POST", values)
    assert (answer.status_code, answer.location) == (303, f"/monitors?{name}=x")
