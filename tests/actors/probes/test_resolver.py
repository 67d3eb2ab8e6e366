"""The system's resolver is the outside world here: names below `.test` are answered by the tests."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

import pytest

import settings
from actors.probes import resolver
from actors.probes.outcome import Outcome, Reason, Status
from actors.runtime.fair_semaphore import FairSemaphore

from .checking import check, check_all, http, target
from .conftest import Change
from .names import Names
from .site import Site


@pytest.mark.parametrize("kind", ["http_request", "port_check"])
def test_names_that_hang_delay_no_other_name(kind: str, names: Names, site: Site) -> None:
    site.answer("/")
    names.known["good.test"] = ["127.0.0.1"]

    def of(host: str) -> str:
        return f"http://{host}:{site.port}/" if kind == "http_request" else host

    hanging = [target(kind, of(f"hangs-{index}.test"), timeout=1.0, port=site.port) for index in range(60)]
    *others, good = check_all([*hanging, target(kind, of("good.test"), timeout=1.0, port=site.port)])
    assert good.status is Status.UP
    assert {outcome.reason for outcome in others} == {Reason.DNS_FAILURE}
    assert others[0].message == "The name hangs-0.test could not be resolved within 1 second."


def test_a_port_is_open_where_any_address_of_the_name_lets_us_in(names: Names, site: Site) -> None:
    names.known["two.test"] = ["127.0.0.2", "127.0.0.1"]
    outcome = check("port_check", "two.test", port=site.port)
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "127.0.0.1")
    # And closed where none does; who was reached and says something else is not asked elsewhere
    names.known["none.test"] = ["127.0.0.2", "127.0.0.3"]
    outcome = check("port_check", "none.test", port=site.port)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.PORT_CLOSED)
    names.known["odd.test"] = ["127.0.0.1", "127.0.0.2"]
    site.takes_over = lambda connection: connection.sendall(b"go away")
    outcome = check("port_check", "odd.test", port=site.port, expect="welcome")
    assert (outcome.reason, outcome.details["resolvedIp"]) == (Reason.UNEXPECTED_ANSWER, "127.0.0.1")


@contextmanager
def udp_echo(host: str, port: int = 0) -> Iterator[int]:
    """Answers each datagram with itself; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, port))
        server.settimeout(0.05)
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                with suppress(TimeoutError):
                    data, sender = server.recvfrom(2048)
                    server.sendto(data, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stopping.set()
            thread.join(10)


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("expect", ["hello", ""])
def test_a_udp_port_is_up_where_any_address_of_the_name_answers(names: Names, silent: bool, expect: str) -> None:
    # Given a name whose first address refuses, or says nothing, and whose second one answers
    names.known["two.test"] = ["127.0.0.2", "127.0.0.1"]
    with udp_echo("127.0.0.1") as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.2", port if silent else 0))
        outcome = check("port_check", "two.test", timeout=2, port=port, protocol="udp", send="hello", expect=expect)
    # Then it is up; silence is an answer where no text is expected
    ip, certainty = ("127.0.0.2", "unconfirmed") if silent and not expect else ("127.0.0.1", "confirmed")
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, ip)
    assert outcome.details["certainty"] == certainty


def test_a_udp_port_that_no_address_has_is_down_and_one_that_says_something_else_is_not_asked_elsewhere(
    names: Names,
) -> None:
    names.known["none.test"] = ["127.0.0.2", "127.0.0.3"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert check("port_check", "none.test", port=port, protocol="udp").reason is Reason.PORT_CLOSED
    names.known["odd.test"] = ["127.0.0.1", "127.0.0.2"]
    with udp_echo("127.0.0.1") as port:
        odd = {"port": port, "protocol": "udp", "send": "hello", "expect": "welcome"}
        outcome = check("port_check", "odd.test", timeout=1, **odd)
    assert (outcome.reason, outcome.details["resolvedIp"]) == (Reason.UNEXPECTED_ANSWER, "127.0.0.1")


def test_an_address_that_swallows_everything_leaves_time_for_the_next(names: Names, site: Site) -> None:
    names.known["slow.test"] = ["127.0.0.2", "127.0.0.1"]
    with socket.socket() as full, socket.socket() as queued:
        full.bind(("127.0.0.2", site.port))
        full.listen(0)
        with socket.socket() as first:
            first.connect(("127.0.0.2", site.port))
            queued.setblocking(False)
            queued.connect_ex(("127.0.0.2", site.port))
            outcome = check("port_check", "slow.test", timeout=2.0, port=site.port)
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "127.0.0.1")


def test_an_invalidated_name_is_looked_up_again(names: Names, site: Site) -> None:
    names.known["moving.test"] = ["127.0.0.2"]
    assert check("port_check", "moving.test", port=site.port).status is Status.DOWN
    names.known["moving.test"] = ["127.0.0.1"]
    resolver.invalidate("Moving.test.")
    assert check("port_check", "moving.test", port=site.port).status is Status.UP
    for nonsense in ("", "a b", "http://"):
        resolver.invalidate(nonsense)


def test_a_lookup_that_found_no_thread_is_our_error(names: Names, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as single:
        monkeypatch.setattr(resolver, "_threads", lambda: single)
        hanging = target("http_request", "http://hangs.test/", timeout=0.3)
        waiting = target("http_request", "http://waits.test/", timeout=0.3)
        outcomes = check_all([hanging, waiting])
        names.over.set()
    assert [outcome.status for outcome in outcomes] == [Status.DOWN, Status.ERROR]
    assert outcomes[1].reason is Reason.INTERNAL_ERROR


def test_a_project_whose_names_hang_leaves_lookups_to_the_others(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    names.known["good.test"] = ["127.0.0.1"]
    greedy, other = uuid4(), uuid4()

    async def ask(project: UUID, host: str, seconds: float) -> resolver.Addresses | Outcome:
        resolver.asking_project.set(project)
        return await resolver.addresses(host, "auto", seconds)

    async def story() -> resolver.Addresses | Outcome:
        hanging = [asyncio.create_task(ask(greedy, f"hangs-{number}.greedy.test", 20)) for number in range(30)]
        while len(names.asked) < 9:
            await asyncio.sleep(0.01)
        found = await asyncio.create_task(ask(other, "good.test", 10))
        assert len(names.asked) == 10
        names.over.set()
        await asyncio.gather(*hanging)
        return found

    with ThreadPoolExecutor(10) as few:
        limiter = FairSemaphore(10)
        monkeypatch.setattr(resolver, "_threads", lambda: few)
        monkeypatch.setattr(resolver, "_limiter", lambda: limiter)
        assert asyncio.run(story()) == ("127.0.0.1",)
    assert limiter.idle


def test_a_name_is_looked_up_once_for_all_who_ask(names: Names, site: Site) -> None:
    names.known["good.test"] = ["127.0.0.1"]
    url = site.url("/", "good.test")
    site.answer("/")
    check_all([target("http_request", url)] * 20)
    check("port_check", "good.test", port=site.port)
    assert names.asked["good.test"] == 1


KINDS = ["http_request", "website", "port_check", "ping_host"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("straße.test", "xn--strae-oqa.test"),
        ("Bücher.test", "xn--bcher-kva.test"),
        ("☕.test", "xn--53h.test"),
        # The final dot keeps the resolver from trying search domains.
        ("api.test.", "api.test."),
        ("Straße.test.", "xn--strae-oqa.test."),
    ],
)
def test_a_name_is_asked_for_as_browsers_do(kind: str, host: str, asked: str, names: Names, site: Site) -> None:
    names.known[asked] = ["127.0.0.1"]
    site.answer("/")
    outcome = check(kind, site.url("/", host) if kind in {"http_request", "website"} else host, port=site.port)
    assert outcome.status is Status.UP, outcome.message
    assert set(names.asked) == {asked}
    # And the site hears its name without the dot, as certificates have it
    if kind in {"http_request", "website"}:
        assert [seen.headers["host"] for seen in site.seen] == [f"{asked.removesuffix('.')}:{site.port}"]


def test_an_address_with_a_final_dot_is_not_looked_up(names: Names, site: Site) -> None:
    site.answer("/")
    assert http(site.url("/", "127.0.0.1.")).status is Status.UP
    assert check("port_check", "127.0.0.1.", port=site.port).status is Status.UP
    assert not names.asked


def test_a_login_stays_on_a_redirect_between_the_two_spellings_of_a_host(names: Names, site: Site) -> None:
    names.known["same.test"] = names.known["same.test."] = ["127.0.0.1"]
    site.answer("/end")
    site.answer("/", status=302, Location=site.url("/end", "same.test"))
    auth = {"type": "bearer", "token": "a token"}
    assert http(site.url("/", "same.test."), auth=auth).status is Status.UP
    assert [seen.headers.get("authorization") for seen in site.seen] == ["Bearer a token"] * 2


def test_an_address_is_cached_for_half_a_minute_at_most(names: Names, site: Site, change_settings: Change) -> None:
    with pytest.raises(settings.SettingsError, match="DNS_CACHE_SECONDS"):
        settings.parse({"DNS_CACHE_SECONDS": "31"})
    change_settings(ALLOW_INTERNAL_TARGETS="true", DNS_CACHE_SECONDS=0)
    site.answer("/")
    names.known["moves.test"] = ["127.0.0.2"]
    assert http(site.url("/", "moves.test")).reason is Reason.CONNECTION_REFUSED
    names.known["moves.test"] = ["127.0.0.1"]
    assert http(site.url("/", "moves.test")).status is Status.UP


def test_the_next_address_is_tried_where_one_refuses(names: Names, site: Site) -> None:
    names.known["two.test"] = ["127.0.0.2", "127.0.0.1"]
    site.answer("/")
    outcome = http(site.url("/", "two.test"))
    assert (outcome.status, outcome.details["resolvedIp"]) == (Status.UP, "127.0.0.1")


@pytest.mark.parametrize("kind", ["http_request", "port_check", "ping_host"])
def test_a_name_with_an_internal_address_is_blocked(
    kind: str, names: Names, site: Site, change_settings: Change
) -> None:
    names.known["inside.test"] = ["127.0.0.1"]
    change_settings()
    address = site.url("/", "inside.test") if kind == "http_request" else "inside.test"
    outcome = check(kind, address, port=site.port)
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)
    assert not site.seen


def test_the_allowed_one_of_two_addresses_is_used(names: Names, site: Site, change_settings: Change) -> None:
    names.known["two.test"] = ["127.0.0.2", "127.0.0.1"]
    change_settings(ALLOWED_INTERNAL_TARGETS="127.0.0.1")
    site.answer("/")
    assert http(site.url("/", "two.test")).details["resolvedIp"] == "127.0.0.1"
    assert check("port_check", "two.test", port=site.port).details["resolvedIp"] == "127.0.0.1"


def test_a_name_of_a_redirect_is_looked_up_too(names: Names, site: Site) -> None:
    names.known["next.test"] = ["127.0.0.1"]
    site.answer("/end")
    outcome = http(site.answer("/", status=302, Location=site.url("/end", "next.test")))
    assert outcome.status is Status.UP
    assert site.seen[1].headers["host"] == f"next.test:{site.port}"
