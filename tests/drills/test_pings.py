"""Jobs go on calling while parts of a real system are killed: what was answered `OK` is on record, and no job is called late."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests import system as whole
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def system() -> Iterator[whole.System]:
    with whole.running() as made:
        yield made


class Job(threading.Thread):
    """Calls again and again until `stop`, and remembers which of its calls were answered `OK`."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.taken: list[str] = []
        self.refused = 0
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(0.02):
            try:
                answer = requests.get(self.url, timeout=15)
            except requests.RequestException:
                self.refused += 1
                continue
            if answer.status_code == 200:
                self.taken.append(answer.headers["X-Correlation-ID"])
            else:
                assert answer.status_code == 503, answer.status_code
                self.refused += 1

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)


def a_heartbeat(system: whole.System, minutes: float) -> tuple[str, str]:
    """Id and address of a heartbeat that is expected so often, without grace."""
    config = {"expectedIntervalMinutes": minutes, "gracePeriodMinutes": 0}
    with system.api() as api:
        made = api.call("POST", "/api/monitors", {"name": "Job", "type": "heartbeat", "config": config})
    return made["id"], f"{system.url}/api/heartbeat/{made['heartbeatUrl'].rsplit('/', 1)[1]}"


def test_every_ping_that_was_answered_ok_is_on_record_though_postgres_and_web_are_killed(system: whole.System) -> None:
    monitor, url = a_heartbeat(system, 60)
    assert requests.get(url, timeout=10).text == "OK"
    jobs = [Job(url) for _ in range(4)]
    for job in jobs:
        job.start()
    for role in ("postgres", "web", "postgres"):
        killed = system.kill(role)
        system.restarted(role, killed)
        before = sum(len(job.taken) for job in jobs)
        until(lambda before=before: sum(len(job.taken) for job in jobs) > before + 20, within=60, what="pings go on")
    for job in jobs:
        job.stop()
    taken = [one for job in jobs for one in job.taken]
    with system.database() as db:

        def missing() -> int:
            found = db.execute("SELECT count(*) FROM heartbeat_pings WHERE id = ANY(%s::uuid[])", [taken]).fetchone()
            assert found is not None
            return len(taken) - int(found[0])

        until(lambda: missing() == 0, within=60, what="every ping is on record")
        alerts = db.execute("SELECT count(*) FROM alerts WHERE monitor_id = %s", [monitor]).fetchone()
        assert alerts == (0,)


def test_a_deadline_that_passes_while_web_is_away_is_no_miss_and_a_dead_job_is_told_afterwards(
    system: whole.System,
) -> None:
    monitor, url = a_heartbeat(system, 10)
    # A job that is not known yet is refused until the last kill is dealt with.
    until(lambda: requests.get(url, timeout=10).text == "OK", what="a first ping")
    with system.database() as db:
        until(lambda: db.execute("SELECT count(*) FROM ping_intake").fetchone() == (1,))
        # Given a deadline just after the moment in which web is killed
        system_pid = system.pid("web")
        deadline = datetime.now(UTC) + timedelta(seconds=1)
        db.execute("UPDATE monitor_states SET next_run_at = %s WHERE monitor_id = %s", [deadline, monitor])
        system.kill("web")
        assert system_pid is not None
        system.restarted("web", system_pid)

        # Then it is not called missed, but given until its next turn
        def state() -> tuple[str, str, datetime]:
            found = db.execute(
                "SELECT status, last_verdict, next_run_at FROM monitor_states WHERE monitor_id = %s", [monitor]
            ).fetchone()
            assert found is not None
            return found[0], found[1], found[2]

        until(lambda: state()[1] == "error", within=60, what="the gap is ours")
        assert state()[2] > datetime.now(UTC) + timedelta(minutes=5)
        assert db.execute("SELECT count(*) FROM alerts WHERE monitor_id = %s", [monitor]).fetchone() == (0,)
        # And where the job is really dead, an alert is sent at the new deadline
        until(lambda: requests.get(f"{system.url}/readyz", timeout=5).status_code == 200, within=60)
        db.execute("UPDATE monitor_states SET next_run_at = now() WHERE monitor_id = %s", [monitor])
        began = time.monotonic()
        until(lambda: state()[0] == "down", within=30, what="the miss is known")
        print(f"known after {time.monotonic() - began:.2f} s")
