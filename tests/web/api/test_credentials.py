"""Credentials over time: since when they are what they are, how weak they are, and who changed them."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.runtime import credential_uses
from tests.conftest import SettingsOf
from tests.web.api.cast import Cast
from tests.web.api.monitors import made, secrets_in

Db = psycopg.Connection[Any]
GOOD = "tr0ubador-Kx91-zebra"
AUTH = {"type": "basic", "username": "me", "password": GOOD}
HOOK = {"name": "Hook", "type": "webhook", "config": {"url": "https://192.0.2.7/in", "secret": "8f14e45fceea167a5a36"}}


def events(connection: Db, object_id: str) -> list[tuple[str, list[str]]]:
    found = connection.execute(
        "SELECT action, details->'secrets' FROM audit_events WHERE object_id = %s ORDER BY created_at", [object_id]
    )
    return [(action, secrets) for action, secrets in found]


def test_who_was_shown_a_heartbeats_token_is_on_record(
    cast: Cast, connection: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = credential_uses.Ledger("web")
    monkeypatch.setattr(credential_uses, "_ledger", ledger)
    one = made(cast, type="heartbeat", target="", config={"expectedIntervalMinutes": 5, "gracePeriodMinutes": 1})
    for _ in range(3):
        assert "heartbeatUrl" in cast.editor.get(f"/monitors/{one['id']}").json  # type: ignore[operator]
    assert "heartbeatUrl" not in cast.viewer.get(f"/monitors/{one['id']}").json  # type: ignore[operator]
    ledger.write()
    found = connection.execute(
        "SELECT coalesce(user_id, api_key_id) IS NOT NULL, object_id::text, details->>'purpose',"
        " (details->>'uses')::int FROM audit_events WHERE action = 'credential.used'"
    ).fetchall()
    # The making of it shows the token as well; a viewer is shown none
    assert found == [(True, one["id"], "show", 4)]


def test_a_monitor_without_secrets_has_no_credentials(cast: Cast) -> None:
    assert made(cast)["credentials"] is None


def test_the_age_of_a_credential_changes_with_it_and_with_nothing_else(cast: Cast, connection: Db) -> None:
    one = made(cast, config={"auth": AUTH})
    first = one["credentials"]
    assert first["changedAt"]
    assert first["changedAt"] == first["sealedAt"]

    renamed = cast.editor.patch(f"/monitors/{one['id']}", {"name": "Other"}).json
    assert renamed["credentials"] == first  # type: ignore[index]

    other = cast.editor.patch(f"/monitors/{one['id']}", {"config": {"auth": {"password": GOOD + "!"}}}).json
    assert other["credentials"]["changedAt"] > first["changedAt"]  # type: ignore[index]

    without = cast.editor.patch(f"/monitors/{one['id']}", {"config": {"auth": None}}).json
    assert without["credentials"] is None  # type: ignore[index]
    assert events(connection, one["id"]) == [
        ("monitor.created", ["auth.password"]),
        ("monitor.changed", []),
        ("monitor.changed", ["auth.password"]),
        ("monitor.changed", ["auth.password"]),
    ]


def test_the_age_of_a_providers_credential_is_told_and_its_change_is_audited(cast: Cast, connection: Db) -> None:
    one: Any = cast.editor.post("/notification-providers", HOOK).json
    path = f"/notification-providers/{one['id']}"
    assert cast.viewer.get(path).json["credentials"] == one["credentials"]  # type: ignore[index]
    cast.editor.patch(path, {"name": "Other"})
    cast.editor.patch(path, {"config": {"secret": "another-9f14e45fceea"}})
    assert [secrets for _, secrets in events(connection, one["id"])] == [["secret", "url"], [], ["secret"]]


@pytest.mark.parametrize(
    "path, body, field",
    [
        ("/monitors", {"config": {"auth": {**AUTH, "password": "letmein"}}}, "config.auth.password"),
        ("/monitors", {"config": {"headers": {"X-Api-Key": "secret"}}}, "config.headers.X-Api-Key"),
        ("/notification-providers", {"config": {"url": "https://192.0.2.7/", "secret": "secret"}}, "config.secret"),
    ],
)
def test_a_weak_secret_is_taken_with_a_warning(path: str, body: dict[str, Any], field: str, cast: Cast) -> None:
    base = HOOK if path != "/monitors" else {"name": "Shop", "type": "http_request", "target": "https://192.0.2.7/"}
    answer = cast.editor.post(path, {**base, **body})
    assert answer.status_code == 201
    assert [one["field"] for one in answer.json["warnings"]] == [field]  # type: ignore[index]
    shown: Any = cast.editor.get(f"{path}/{answer.json['id']}").json  # type: ignore[index]
    assert shown["warnings"] == []
    # What was answered may be sent back
    assert cast.editor.put(f"{path}/{shown['id']}", answer.json).status_code == 200


def test_a_good_secret_is_taken_without_a_warning(cast: Cast) -> None:
    assert made(cast, config={"auth": AUTH})["warnings"] == []


def test_credentials_whose_key_is_gone_can_be_entered_again(
    cast: Cast, connection: Db, settings_of: SettingsOf
) -> None:
    one = made(cast, config={"auth": AUTH})
    hook: Any = cast.editor.post("/notification-providers", HOOK).json
    settings_of(encryption_keys=(b"another key here",))
    # A change that leaves them out is refused by name, not with an internal error
    for path in (f"/monitors/{one['id']}", f"/notification-providers/{hook['id']}"):
        answer = cast.editor.patch(path, {"name": "Other"})
        assert answer.status_code == 422
    assert cast.editor.patch(f"/monitors/{one['id']}", {"config": {"auth": AUTH}}).status_code == 200
    assert secrets_in(connection, one["id"]) == {"auth.password": GOOD}


def test_a_change_seals_with_the_first_key_what_an_older_one_had_sealed(
    cast: Cast, connection: Db, settings_of: SettingsOf
) -> None:
    one = made(cast, config={"auth": AUTH})
    config = settings_of()
    settings_of(encryption_keys=(b"another key here", *config.encryption_keys))
    changed: Any = cast.editor.patch(f"/monitors/{one['id']}", {"name": "Other"}).json
    assert changed["credentials"]["changedAt"] == one["credentials"]["changedAt"]
    assert changed["credentials"]["sealedAt"] > one["credentials"]["sealedAt"]
    settings_of(encryption_keys=(b"another key here",))
    assert secrets_in(connection, str(UUID(one["id"]))) == {"auth.password": GOOD}
