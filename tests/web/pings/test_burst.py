"""Many jobs at once, over sockets."""

import threading
from collections import Counter
from http.client import HTTPConnection
from typing import Any

import psycopg
import pytest

from tests.factories import a_monitor, a_project
from tests.web.serving import an_app, served

CLIENTS = 16
PINGS = 125


@pytest.mark.slow
@pytest.mark.alone
def test_two_thousand_pings_from_sixteen_clients_at_once_are_all_on_record(
    connection: psycopg.Connection[Any],
) -> None:
    answers: Counter[tuple[int, bytes]] = Counter()

    def job(number: int) -> None:
        link = HTTPConnection(host, port, timeout=60)
        mine: Counter[tuple[int, bytes]] = Counter()
        for turn in range(PINGS):
            suffix = ("/start", "", "/log", "/fail", "")[turn % 5]
            link.request("POST", f"/api/heartbeat/{tokens[(number + turn) % len(tokens)]}{suffix}", body=f"{turn}")
            answer = link.getresponse()
            mine[answer.status, answer.read()] += 1
        link.close()
        with lock:
            answers.update(mine)

    lock = threading.Lock()
    tokens = [f"{number:02}-a-token-of-a-heartbeat" for number in range(20)]
    with an_app() as app:
        project = a_project()
        for token in tokens:
            a_monitor(project, "heartbeat", token=token)
        with served(app) as (host, port):
            jobs = [threading.Thread(target=job, args=(number,)) for number in range(CLIENTS)]
            for one in jobs:
                one.start()
            for one in jobs:
                one.join()
    assert answers == {(200, b"OK"): CLIENTS * PINGS}
    kinds = dict(connection.execute("SELECT kind, count(*) FROM heartbeat_pings GROUP BY kind").fetchall())
    assert kinds == {"start": 400, "success": 800, "log": 400, "fail": 400}
    results = dict(connection.execute("SELECT status, count(*) FROM monitor_results GROUP BY status").fetchall())
    assert results == {"up": 800, "down": 400}
    assert connection.execute("SELECT sum(up), sum(down) FROM monitor_rollups_hourly").fetchone() == (800, 400)
