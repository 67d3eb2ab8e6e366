"""The story of an alert flood, from tick to summary: many targets break at once, people get a summary."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from actors.alerts import grouping
from tests import outside, rows
from tests.conftest import SettingsOf
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("road")
Db = psycopg.Connection[Any]


@pytest.fixture
def people() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it


def test_people_get_a_few_messages_and_one_summary_and_machines_every_event(
    connection: Db,
    tick: Callable[[], int],
    sweep: Callable[[], None],
    target: outside.Target,
    hook: outside.Hook,
    people: outside.Hook,
    settings_of: SettingsOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given nine monitors of one target, an event receiver and people who are notified of all of them
    settings_of(storm_threshold=3)
    monkeypatch.setattr(grouping, "CALM", timedelta(seconds=1))
    project = rows.a_project(connection)
    machine = rows.a_provider(connection, project, hook.url)
    channel = rows.a_provider(connection, project, people.url, type="slack")
    for number in range(9):
        monitor = rows.a_monitor(connection, project, target.url, name=f"Shop {number}")
        for provider in (machine, channel):
            connection.execute("INSERT INTO monitor_notification_settings VALUES (%s, %s)", [monitor, provider])
    # When the target breaks
    target.status = 500
    tick()
    until(lambda: len(hook.received) == 9, what="every event at the machine")
    until(lambda: len(people.received) == 3, what="the first messages at the people's")

    def summarised() -> bool:
        sweep()
        return rows.value(connection, "SELECT count(*) FROM alerts WHERE type = 'summary' AND status = 'sent'") == 1

    until(summarised, what="the summary")
    # Then people have three messages and a summary of six
    assert len(people.received) == 3 + 1
    assert rows.value(connection, "SELECT reason FROM alerts WHERE type = 'summary'").startswith("6 alerts")
    assert hook.events() == ["monitor.down"] * 9
    # And each of the six says so, and that the machine was notified
    until(lambda: rows.value(connection, "SELECT count(*) FROM alerts WHERE status <> 'sent'") == 0)
    said = "SELECT count(*) FROM alerts WHERE suppressed_because LIKE 'storm: %%'"
    assert rows.value(connection, said) == 6
