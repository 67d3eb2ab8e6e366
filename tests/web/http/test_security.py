"""Signing in: who gets in, who has to wait, and what an observer learns."""

from collections.abc import Iterator

import pytest
import redis
from argon2 import PasswordHasher
from flask import Flask, session

from models.tables import Role, User
from tests import factories
from tests.factories import PASSWORD
from web.http import passwords, sessions, sign_in_delays
from web.http import sign_in as security
from web.http.extensions import db, redis_client
from web.http.sign_in import SignInRefused, sign_in


@pytest.fixture
def request_of_a_browser(migrated_url: str, database_url: str) -> Iterator[None]:
    from web import create_app

    app: Flask = create_app()
    with app.test_request_context("/login", environ_base={"REMOTE_ADDR": "192.0.2.1"}):
        app.preprocess_request()
        yield
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def ada(request_of_a_browser: None) -> User:
    return factories.a_user(role=Role.PROJECT_EDITOR, email="ada@example.test")


def refusal(email: str, password: str, ip: str = "192.0.2.1") -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        sign_in(email, password, ip)
    return caught.value


def test_the_right_password_starts_a_fresh_session(ada: User) -> None:
    session["left_over"] = "from before"
    assert sign_in(" ADA@example.test ", PASSWORD, "192.0.2.1").id == ada.id
    assert sessions.present_user_id() == ada.id
    assert "left_over" not in session
    assert ada.last_login_at is not None


def test_a_weak_stored_hash_is_renewed(ada: User) -> None:
    before = ada.password_hash
    sign_in(ada.email, PASSWORD, "192.0.2.1")
    assert ada.password_hash != before
    assert passwords.password_fits(ada, PASSWORD)


def test_a_wrong_password_and_an_unknown_account_sound_alike(ada: User) -> None:
    assert str(refusal(ada.email, "wrong")) == str(refusal("nobody@example.test", "wrong"))
    assert "_user_id" not in session


def test_a_disabled_account_does_not_get_in(ada: User) -> None:
    factories.changed(ada, enabled=False)
    refusal(ada.email, PASSWORD)


def test_an_unknown_account_costs_a_password_check_too(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = type(passwords._HASHER).verify

    def noting(hasher: PasswordHasher, stored: str, password: str) -> bool:
        checked.append(password)
        return bool(verify(hasher, stored, password))

    monkeypatch.setattr(type(passwords._HASHER), "verify", noting)
    refusal("nobody@example.test", "guess")
    assert checked == ["guess"]


def as_if_the_time_had_passed() -> None:
    for key in redis_client().scan_iter("signin:*:wait"):
        redis_client().delete(key)


@pytest.mark.parametrize("email", ["ada@example.test", "nobody@example.test"])
def test_delays_grow_with_every_failure_of_an_account_from_one_address(email: str, ada: User) -> None:
    waits = []
    for _ in range(6):
        waits.append(refusal(email, "wrong").retry_after)
        as_if_the_time_had_passed()
    assert waits == [0, 0, 0, 1, 2, 4]


def test_who_has_to_wait_waits_even_with_the_right_password(ada: User) -> None:
    for _ in range(4):
        refusal(ada.email, "wrong")
    assert refusal(ada.email, PASSWORD).retry_after >= 1
    assert "_user_id" not in session


def test_one_address_trying_many_accounts_has_to_wait(ada: User) -> None:
    for number in range(11):
        refusal(f"user{number}@example.test", "wrong", "192.0.2.9")
    assert refusal("another@example.test", "wrong", "192.0.2.9").retry_after >= 1
    assert sign_in(ada.email, PASSWORD, "192.0.2.10").id == ada.id


def test_a_success_forgets_the_accounts_failures(ada: User) -> None:
    for _ in range(3):
        refusal(ada.email, "wrong")
    sign_in(ada.email, PASSWORD, "192.0.2.1")
    assert refusal(ada.email, "wrong").retry_after == 0


def test_a_password_that_is_asked_for_again_is_guessed_no_faster_than_at_the_door(ada: User) -> None:
    for _ in range(3):
        with pytest.raises(SignInRefused, match="current password is wrong"):
            security.confirm(ada, "wrong", "192.0.2.4")
    # The failures of both count together, and who has to wait waits with the right one too
    assert refusal(ada.email, "wrong", "192.0.2.4").retry_after == 1
    redis_client().set(f"signin:pair:192.0.2.4:{ada.email}:wait", 1, ex=60)  # long enough for a slow machine
    with pytest.raises(SignInRefused, match="Try again in"):
        security.confirm(ada, PASSWORD, "192.0.2.4")
    as_if_the_time_had_passed()
    security.confirm(ada, PASSWORD, "192.0.2.4")
    assert refusal(ada.email, "wrong", "192.0.2.4").retry_after == 0


def test_people_get_in_while_redis_is_away(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(sign_in_delays, "redis_client", away)
    assert sign_in(ada.email, PASSWORD, "192.0.2.1").id == ada.id
    refusal(ada.email, "wrong")


def test_failures_from_elsewhere_do_not_lock_the_owner_out(ada: User) -> None:
    for number in range(13):
        refusal(ada.email, "wrong", f"198.51.100.{number}")
    assert sign_in(ada.email, PASSWORD, "192.0.2.1").id == ada.id


def test_one_ipv6_customer_is_one_address(ada: User) -> None:
    for number in range(11):
        refusal(f"user{number}@example.test", "wrong", f"2001:db8:1:2::{number:x}")
    assert refusal("another@example.test", "wrong", "2001:db8:1:2:ffff::1").retry_after >= 1
    assert refusal("another@example.test", "wrong", "2001:db8:1:3::1").retry_after == 0


def test_a_shared_address_is_not_held_up_by_those_who_get_in(ada: User) -> None:
    for _ in range(25):
        assert sign_in(ada.email, PASSWORD, "192.0.2.1").id == ada.id
