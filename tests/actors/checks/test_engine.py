"""Checks run and written: one broken check, row or config spoils no other."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from actors import queues
from actors.checks import config_cache
from actors.checks.engine import TOO_LATE_SECONDS, Batch, Engine
from actors.probes import PROBES
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from models.rules.round_ids import to_micros
from models.secrets import encryption as seal
from tests import messages, rows
from tests.actors.batches import Run, a_slot
from tests.conftest import SettingsOf
from tests.waiting import until

Db = psycopg.Connection[Any]
UP = Outcome(Status.UP, response_time_ms=5.0)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What targets answer, by address, try after try: an Outcome, or an error that the probe raises; UP otherwise."""
    wanted: dict[str, list[Any]] = {}

    async def probe(target: Target) -> Outcome:
        left = wanted.get(target.address)
        answer = left.pop(0) if left else UP
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    monkeypatch.setitem(PROBES, "port_check", probe)
    return wanted


@pytest.mark.parametrize("host", ["", "shared.example"])
def test_a_project_whose_targets_hang_leaves_places_to_the_others(
    connection: Db, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # Given places for ten checks, at one host or at all, and a project with thirty that hang
    limit = "max_connections_per_host" if host else "max_concurrent_connections"
    settings_of(**{limit: 10})
    inside: list[str] = []
    end = threading.Event()

    async def probe(target: Target) -> Outcome:
        inside.append(target.address)
        while target.address == "hangs" and not end.is_set():
            await asyncio.sleep(0.01)
        return UP

    monkeypatch.setitem(PROBES, "port_check", probe)
    engine = Engine()
    try:
        greedy, other = uuid4(), uuid4()
        hung, answered = threading.Event(), threading.Event()
        hanging = [a_slot("hangs", timeout=30, host=host, project=greedy) for _ in range(30)]
        engine.submit(Batch("port_check", "us-east", None, hanging, hung.set))
        until(lambda: len(inside) == 9, what="the project has what it may have")
        # When another project is to be checked, it is, while they hang
        slots = [a_slot("good", host=host, project=other) for _ in range(5)]
        engine.submit(Batch("port_check", "us-east", None, slots, answered.set))
        assert answered.wait(20)
        assert inside == ["hangs"] * 9 + ["good"] * 5
        # Then the others have their turns
        end.set()
        assert hung.wait(20)
        assert len(inside) == 35
    finally:
        end.set()
        engine.stop(5)
        engine.loop.close()


def test_a_batch_is_done_when_all_of_its_results_are_stored_and_its_rounds_handed_on(
    run: Run, answers: dict[str, list[Any]]
) -> None:
    answers["b"] = [Outcome(Status.DOWN, reason=Reason.PORT_CLOSED, message="Closed.")]
    slots = [a_slot("a"), a_slot("b")]
    assert run(*slots) == [("a", "up", None), ("b", "down", "PORT_CLOSED")]
    sent = [tuple(one) for message in messages.waiting(queues.AGGREGATION) for one in message.args[0]]
    assert sorted(sent) == sorted((str(slot.monitor_id), to_micros(slot.scheduled_for)) for slot in slots)


def test_a_probe_that_raises_is_a_fault_of_ours_and_spoils_no_other(run: Run, answers: dict[str, list[Any]]) -> None:
    answers["b"] = [RuntimeError("secret text")]
    assert run(a_slot("a"), a_slot("b"), a_slot("c")) == [
        ("a", "up", None),
        ("b", "error", "INTERNAL_ERROR"),
        ("c", "up", None),
    ]


def test_a_row_that_cannot_be_stored_is_given_up_alone(run: Run, answers: dict[str, list[Any]]) -> None:
    # Given a result that is no JSON, among good ones
    answers["b"] = [Outcome(Status.UP, details={"rttMs": float("nan")})]
    # Then the batch is done all the same, with the others stored
    assert run(a_slot("a"), a_slot("b"), a_slot("c")) == [("a", "up", None), ("c", "up", None)]


def test_what_a_target_writes_cannot_break_the_batch(run: Run, answers: dict[str, list[Any]]) -> None:
    hostile = Outcome(Status.DOWN, reason=Reason.TLS_ERROR, message="a\0\ud800b", details={"issuer": "x\0\udfffy"})
    answers["b"] = [hostile]
    assert run(a_slot("a"), a_slot("b")) == [("a", "up", None), ("b", "down", "TLS_ERROR")]


def test_a_failure_is_checked_again_as_often_as_wanted_before_it_counts(
    run: Run, answers: dict[str, list[Any]]
) -> None:
    down = Outcome(Status.DOWN, reason=Reason.PORT_CLOSED)
    answers.update(a=[down, down, UP], b=[down, down, down, UP])
    found = run(a_slot("a", retries=2), a_slot("b", retries=2))
    assert found == [("a", "up", None), ("b", "down", "PORT_CLOSED")]
    assert (len(answers["a"]), len(answers["b"])) == (0, 1)


def test_a_config_that_cannot_be_read_is_told_as_ours_and_nothing_is_probed(
    run: Run, answers: dict[str, list[Any]]
) -> None:
    answers["a"] = [UP]
    assert run(a_slot("a", fault="Enter them again.")) == [("a", "error", "INVALID_CONFIG")]
    assert len(answers["a"]) == 1


def test_a_check_that_could_not_start_in_time_is_told_as_ours(run: Run, answers: dict[str, list[Any]]) -> None:
    late = datetime.now(UTC) - timedelta(seconds=TOO_LATE_SECONDS + 1)
    assert run(a_slot("a", late)) == [("a", "error", "CHECK_TOO_LATE")]


def test_no_check_starts_before_its_time(run: Run, answers: dict[str, list[Any]], connection: Db) -> None:
    now = datetime.now(UTC)
    slots = [a_slot(str(number), now + timedelta(milliseconds=150 * number)) for number in range(4)]
    assert len(run(*slots)) == 4
    early = "SELECT count(*) FROM monitor_results WHERE checked_at < scheduled_for"
    assert rows.value(connection, early) == 0


def test_a_slow_target_delays_no_other(
    run: Run, engine: Engine, connection: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a target that answers only after the other one's result is stored
    stored = threading.Event()

    async def probe(target: Target) -> Outcome:
        while target.address == "slow" and not stored.is_set():
            await asyncio.sleep(0.01)
        return UP

    monkeypatch.setitem(PROBES, "port_check", probe)
    done = threading.Event()
    slots = [a_slot("slow"), a_slot("quick")]
    engine.submit(Batch("port_check", "us-east", None, slots, done.set))
    from tests.waiting import until

    until(lambda: rows.value(connection, "SELECT count(*) FROM monitor_results") == 1)
    assert not done.is_set()
    stored.set()
    assert done.wait(10)
    assert rows.value(connection, "SELECT count(*) FROM monitor_results") == 2


# --- configs -----------------------------------------------------------------------------------------


def test_credentials_that_do_not_open_spoil_only_their_own_monitor(connection: Db, project: UUID) -> None:
    # Given a monitor whose secret was sealed for another row, beside a good one
    moved = rows.a_monitor(connection, project, config={"auth": {"token": "…"}})
    sealed = seal.seal({"auth.token": "0123456789"}, "monitors", uuid4())
    connection.execute("UPDATE monitors SET secrets = %s WHERE id = %s", [sealed, moved])
    good = rows.a_monitor(connection, project, config={"timeoutSeconds": 7, "retries": 2})
    unreadable = rows.a_monitor(connection, project, config={"timeoutSeconds": "soon"})
    # When all are loaded
    found = config_cache.prepared([(moved, 1), (good, 1), (unreadable, 1), (uuid4(), 1)])
    # Then each is there, and those that cannot be checked say why
    assert set(found) == {moved, good, unreadable}
    assert (found[good].target.timeout, found[good].retries, found[good].fault) == (7.0, 2, "")
    assert found[moved].fault.startswith("The stored credentials cannot be decrypted")
    assert found[unreadable].fault.startswith("The configuration cannot be read")
    # And when the secret is entered again, the next check has it
    sealed = seal.seal({"auth.token": "0123456789"}, "monitors", moved)
    connection.execute("UPDATE monitors SET secrets = %s WHERE id = %s", [sealed, moved])
    again = config_cache.prepared([(moved, 1)])[moved]
    assert again.fault == ""
    assert again.target.config["auth"]["token"] == "0123456789"


def test_a_changed_monitor_is_read_again_when_a_message_names_its_new_version(connection: Db, project: UUID) -> None:
    monitor = rows.a_monitor(connection, project, "http://old.example/")
    assert config_cache.prepared([(monitor, 1)])[monitor].target.address == "http://old.example/"
    connection.execute("UPDATE monitors SET target = 'http://new.example/', version = 2")
    assert config_cache.prepared([(monitor, 1)])[monitor].target.address == "http://old.example/"
    assert config_cache.prepared([(monitor, 2)])[monitor].target.address == "http://new.example/"


def test_a_host_is_one_however_its_name_is_written(connection: Db, project: UUID) -> None:
    targets = ["https://Straße.de/", "http://xn--strae-oqa.de.:8080/", "straße.de", "STRASSE.de"]
    monitors = [rows.a_monitor(connection, project, target) for target in targets]
    found = config_cache.prepared([(monitor, 1) for monitor in monitors])
    assert [found[monitor].host for monitor in monitors] == ["xn--strae-oqa.de"] * 3 + ["strasse.de"]


def test_checks_of_one_host_beyond_its_bound_wait_while_other_hosts_are_checked(
    database_url: str, connection: Db, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given room for two checks of a host at once, and a host that hangs until it is let go
    settings_of(max_connections_per_host=2)
    at_once, most, let_go = 0, 0, threading.Event()

    async def probe(target: Target) -> Outcome:
        nonlocal at_once, most
        if target.address == "busy":
            at_once += 1
            most = max(most, at_once)
            while not let_go.is_set():
                await asyncio.sleep(0.01)
            at_once -= 1
        return UP

    monkeypatch.setitem(PROBES, "port_check", probe)
    slots = [a_slot("busy") for _ in range(5)] + [a_slot("free")]
    slots = [slot._replace(prepared=slot.prepared._replace(host=slot.prepared.target.address)) for slot in slots]
    engine, done = Engine(), threading.Event()
    try:
        engine.submit(Batch("port_check", "us-east", None, slots, done.set))
        # Then the other host's result is there while the busy one still hangs
        free = slots[-1].monitor_id
        until(lambda: connection.execute("SELECT 1 FROM monitor_results WHERE monitor_id = %s", [free]).fetchone())
        assert most == 2
        let_go.set()
        assert done.wait(10)
        assert most == 2
    finally:
        let_go.set()
        engine.stop(1)
        engine.loop.close()
