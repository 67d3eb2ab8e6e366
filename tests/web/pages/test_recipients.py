"""Monitors without a recipient: said on every page where it matters, and put right with one button."""

from collections.abc import Callable

import pytest

from models.tables import Monitor, MonitorNotificationSetting, NotificationProvider, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.features.notification_providers import recipients
from web.http.extensions import db


@pytest.fixture
def provider(project: Project) -> NotificationProvider:
    return factories.a_provider(project, name="On call")


@pytest.fixture
def heard(project: Project, provider: NotificationProvider) -> Monitor:
    monitor = factories.a_monitor(project, name="Heard")
    choose(monitor, provider)
    return monitor


def choose(monitor: Monitor, provider: NotificationProvider) -> None:
    db.session.add(MonitorNotificationSetting(monitor_id=monitor.id, provider_id=provider.id))
    db.session.commit()


def test_a_monitor_without_a_recipient_is_told_on_dashboard_list_and_page(
    visitor: Callable[..., Visitor], project: Project, heard: Monitor
) -> None:
    someone = visitor()
    assert "has no active channel" not in someone.get("/")
    mute = factories.a_monitor(project, name="Mute")
    factories.a_monitor(project, name="Quiet on purpose", alerts_enabled=False)
    factories.a_monitor(project, name="Asleep", enabled=False)
    page = someone.get("/")
    assert ">1 monitor</a> has no active channel." in page
    assert "/monitors?notifies=nobody" in page
    listed = someone.get("/monitors?notifies=nobody")
    assert "Mute" in listed
    for other in ("Heard", "Quiet on purpose", "Asleep"):
        assert other not in listed
    assert "<strong>no active channel</strong>" in someone.get(f"/monitors/{mute.id}")
    assert ">On call</a>" in someone.get(f"/monitors/{heard.id}")


def test_a_disabled_provider_is_no_recipient(
    visitor: Callable[..., Visitor], provider: NotificationProvider, heard: Monitor
) -> None:
    someone = visitor()
    path = f"/notification-providers/{provider.id}"
    answer = someone.submit(path, enabled="off")
    assert answer.status_code == 303
    assert "These monitors have no active channel now: Heard." in someone.get(answer.location)
    assert "has no active channel" in someone.get("/")


def test_deleting_names_the_monitors_that_are_left_without(
    visitor: Callable[..., Visitor], project: Project, provider: NotificationProvider, heard: Monitor
) -> None:
    other = factories.a_provider(project, name="Second")
    both = factories.a_monitor(project, name="Has another")
    choose(both, provider)
    choose(both, other)
    page = visitor().get(f"/notification-providers/{provider.id}/delete")
    assert ">1 of them</a> has no other channel:</strong> Heard." in page
    listed = visitor().get(f"/monitors?notifiesOnly={provider.id}")
    assert "Heard" in listed
    assert "Has another" not in listed


def test_a_new_provider_can_be_used_for_all_monitors_at_once(
    visitor: Callable[..., Visitor], project: Project, heard: Monitor
) -> None:
    for number in range(3):
        factories.a_monitor(project, name=f"Mute {number}")
    theirs = factories.a_monitor(factories.a_project(name="Elsewhere"))
    someone = visitor()
    typed = {"name": "Hook", "config.url": "http://127.0.0.1:9/"}
    answer = someone.submit("/notification-providers/new?type=webhook", **typed)
    assert "Use for all 4 monitors" in someone.get(answer.location)
    someone.post(f"{answer.location}/use-for-all", answer.location)
    assert "Added Hook to 4 monitors." in someone.get(answer.location)
    assert "no active channel" not in someone.get("/")
    db.session.expire_all()
    assert recipients.of_monitor(theirs) == []
    someone.post(f"{answer.location}/use-for-all", answer.location)
    assert "Added Hook to 0 monitors." in someone.get(answer.location), "a second click changes nothing"


def test_a_new_monitor_does_not_choose_a_broken_or_disabled_provider(
    visitor: Callable[..., Visitor], project: Project, provider: NotificationProvider
) -> None:
    factories.a_provider(project, name="Broken", broken=True)
    factories.a_provider(project, name="Disabled", enabled=False)
    form = visitor().form("/monitors/new?type=website")
    assert form.getlist("alertConfig.notificationProviders") == [str(provider.id)]


def test_a_viewer_does_not_change_who_is_notified(
    visitor: Callable[..., Visitor], provider: NotificationProvider
) -> None:
    path = f"/notification-providers/{provider.id}/use-for-all"
    assert visitor("project_viewer").post(path, "/settings/account").status_code == 403
    foreign = factories.a_provider(factories.a_project(name="Elsewhere"))
    assert visitor().post(f"/notification-providers/{foreign.id}/use-for-all").status_code == 404
