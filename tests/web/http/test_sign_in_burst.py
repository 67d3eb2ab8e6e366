"""Many attempts at once: few are judged, few hashes are computed at a time, and the pool is not held during that time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.factories import PASSWORD
from tests.web.serving import an_app
from web.http import passwords


@pytest.fixture
def burst_app(database_url: str) -> Any:
    with an_app() as app:
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


def concurrent(app: Flask, number: int, password: Callable[[int], str], email: str) -> list[int]:
    """The status of `number` sign-ins that all begin together, each from a browser of its own."""
    barrier = threading.Barrier(number)

    def one(index: int) -> int:
        client = app.test_client()
        barrier.wait(20)
        answer = client.post("/login", data={"email": email, "password": password(index)})
        return answer.status_code

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_of_many_guesses_at_once_only_the_free_one_is_judged(burst_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.a_user(email="ada@example.test")
    judged: list[str] = []
    judge = passwords.password_fits

    def noting(found: Any, password: str) -> bool:
        judged.append(password)
        return judge(found, password)

    monkeypatch.setattr(passwords, "password_fits", noting)
    # Ten failures, and their delay is over: the next attempt is free, and begins a delay of two minutes.
    burst_app.extensions["redis"].set(f"signin:pair:127.0.0.1:{user.email}", 10)
    statuses = concurrent(burst_app, 40, lambda index: f"guess {index}", user.email)
    assert len(judged) == 1
    assert statuses == [429] * 40


def test_hashes_are_computed_a_few_at_a_time_and_without_a_connection(
    burst_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web.http.extensions import db

    users = [factories.a_user(email=f"user{number}@example.test") for number in range(8)]
    running, most, held = 0, 0, []
    lock = threading.Lock()
    verify = type(passwords._HASHER).verify

    def watching(hasher: Any, stored: str, password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        held.append(db.session().in_transaction())
        try:
            return bool(verify(hasher, stored, password))
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(type(passwords._HASHER), "verify", watching)
    barrier = threading.Barrier(len(users))

    def one(email: str) -> int:
        client = burst_app.test_client()
        barrier.wait(20)
        return client.post("/login", data={"email": email, "password": PASSWORD}).status_code

    with ThreadPoolExecutor(len(users)) as pool:
        statuses = list(pool.map(one, [user.email for user in users]))
    assert statuses == [303] * len(users)
    assert most <= passwords.MAX_CONCURRENT
    assert held == [False] * len(users)


def test_a_full_room_refuses_instead_of_holding_threads() -> None:
    room = passwords.HashLimiter(concurrent=1, waiting=0, timeout_s=30)
    with room.permit(), pytest.raises(passwords.TooManyAtOnce), room.permit():
        pytest.fail("two were let in")
    with room.permit():
        pass


def test_who_finds_the_room_full_has_not_failed(burst_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.a_user()
    with monkeypatch.context() as patched:
        patched.setattr(passwords, "_limiter", passwords.HashLimiter(concurrent=0, waiting=0, timeout_s=0))
        full = [_sign_in(burst_app, user.email) for _ in range(12)]
    assert full == [429] * 12
    assert _sign_in(burst_app, user.email) == 303


def _sign_in(app: Flask, email: str) -> int:
    return app.test_client().post("/login", data={"email": email, "password": PASSWORD}).status_code
