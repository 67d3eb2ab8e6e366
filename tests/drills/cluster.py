"""Forty monitors under watch: what was sent about them, and what the database holds."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from tests import outside
from tests.drills.fake_targets import FakeTargets, fake_targets
from tests.system import Api, System, running
from tests.waiting import until

MONITORS = 40
INTERVAL_SECONDS = 5

#: (name of the target, event, alert number)
Received = tuple[str, str, int | None]


@dataclass
class Cluster:
    """A running system with `MONITORS` monitors, called as their targets, and one webhook for all."""

    system: System
    fake_targets: FakeTargets
    hook: outside.Hook
    names: dict[str, str]

    def received(self, since: int = 0) -> Counter[Received]:
        """What the webhook received from its `since`-th call on; a delivery that came twice counts once."""
        once = {one["deliveryId"]: one for one in list(self.hook.received)[since:]}
        return Counter((one["monitor"]["name"], one["event"], one["alertNumber"]) for one in once.values())

    def first_alerts(self, since: int) -> dict[str, int]:
        """Target -> how often its first alert was sent."""
        return {name: count for (name, _, number), count in self.received(since).items() if number == 1}

    def recoveries(self, since: int) -> dict[str, int]:
        """Target -> how often its recovery was sent."""
        return {name: count for (name, event, _), count in self.received(since).items() if event == "monitor.up"}

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.system.database() as db:
            return db.execute(statement, values).fetchall()

    def results(self) -> set[Any]:
        """The ids of all results of the forty; those of deleted monitors go by themselves."""
        found = self.rows("SELECT id FROM monitor_results WHERE monitor_id = ANY(%s::uuid[])", list(self.names))
        return {row[0] for row in found}

    def unchecked_since(self, moment: datetime) -> list[str]:
        """Targets without a result that was begun after `moment`; all of them while the database is away."""
        try:
            found = self.rows("SELECT DISTINCT monitor_id::text FROM monitor_results WHERE checked_at > %s", moment)
        except psycopg.OperationalError:
            return list(self.names.values())
        return sorted(self.names[key] for key in self.names.keys() - {row[0] for row in found})

    def unsettled(self) -> list[tuple[Any, ...]]:
        """Monitors that are not up, and alerts whose delivery is still under way."""
        return self.rows(
            "SELECT m.name, s.status FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id WHERE s.status <> 'up'"
            " UNION ALL SELECT monitor_name, type FROM alerts WHERE status = 'pending'"
        )

    def alerts_on_record(self, since: datetime) -> dict[tuple[str, str], int]:
        """(target, `first` or `recovery`) -> how many such alerts were made after `since`."""
        found = self.rows(
            "SELECT monitor_name, CASE WHEN type = 'monitor.up' THEN 'recovery' ELSE 'first' END, count(*) FROM alerts"
            " WHERE created_at > %s AND (alert_number = 1 OR type = 'monitor.up') GROUP BY 1, 2",
            since,
        )
        return {(name, kind): count for name, kind, count in found}

    def doubled_rounds(self) -> list[tuple[Any, ...]]:
        """Rounds of which one location has more than one result."""
        return self.rows(
            "SELECT monitor_id, scheduled_for, location, count(*) FROM monitor_results GROUP BY 1, 2, 3"
            " HAVING count(*) > 1"
        )

    def falsely_down(self, since: datetime, broken: set[str]) -> list[tuple[Any, ...]]:
        """Results after `since` that call a target down which was not."""
        return self.rows(
            "SELECT m.name, r.error_code, r.error_message FROM monitor_results r JOIN monitors m ON m.id = r.monitor_id"
            " WHERE r.checked_at > %s AND r.status = 'down' AND NOT m.name = ANY(%s)",
            since,
            sorted(broken),
        )

    def repeated_deliveries(self, since: int) -> list[str]:
        """Delivery ids that the webhook got more than once from its `since`-th call on."""
        counted = Counter(one["deliveryId"] for one in list(self.hook.received)[since:])
        return [delivery for delivery, count in counted.items() if count > 1]

    def all_checked(self, since: datetime, within: float) -> None:
        """Wait until every monitor has a result that was begun after `since`."""
        until(lambda: not self.unchecked_since(since), within=within, what="every monitor is checked again")


def a_provider(api: Api, url: str) -> str:
    """A webhook provider at `url`."""
    return api.make("/api/notification-providers", {"name": "Hook", "type": "webhook", "config": {"url": url}})


def a_monitor(api: Api, targets: FakeTargets, name: str, provider: str) -> str:
    """A monitor of the target `name` that tells `provider`."""
    return api.make(
        "/api/monitors",
        {
            "name": name,
            "type": "http_request",
            "target": targets.url + name,
            "frequencyMinutes": INTERVAL_SECONDS / 60,
            "config": {"timeoutSeconds": 5},
            "alertConfig": {"enabled": True, "notificationProviders": [provider]},
        },
    )


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A fresh system under 40 monitors, all of them up."""
    with running() as system, fake_targets() as targets, outside.hook() as hook:
        names = {}
        with system.api() as api:
            provider = a_provider(api, hook.url)
            for number in range(MONITORS):
                name = f"shop-{number:02}"
                names[a_monitor(api, targets, name, provider)] = name
        made = Cluster(system, targets, hook, names)
        until(
            lambda: made.rows("SELECT count(*) FROM monitor_states WHERE status = 'up'") == [(MONITORS,)],
            what="every monitor is up",
        )
        yield made
