"""The operator's limits on what may be saved, and what was saved before they were narrowed."""

import pytest

from tests.conftest import SettingsOf
from tests.web.api.cast import Cast, Watch
from tests.web.api.monitors import HTTP, made

LONG = "x" * 301


@pytest.mark.parametrize(
    "path, body, field",
    [
        ("/monitors", {**HTTP, "description": LONG}, "description"),
        ("/monitors", {**HTTP, "config": {"headers": {"X-Long": LONG}}}, "config.headers.X-Long"),
        ("/monitors", {**HTTP, "tags": [LONG]}, "tags.0"),
        ("/monitors", {**HTTP, LONG: 1}, "body"),
        (
            "/notification-providers",
            {"name": "Hook", "type": "webhook", "config": {"url": f"https://192.0.2.7/{LONG}"}},
            "config.url",
        ),
        ("/projects", {"name": LONG}, "name"),
    ],
)
def test_a_text_longer_than_the_operator_allows_is_refused_by_its_field(
    path: str, body: dict[str, object], field: str, cast: Cast, watch: Watch, settings_of: SettingsOf
) -> None:
    settings_of(max_string_length=300)
    answer = cast.owner.post(path, body)
    assert answer.status_code == 422
    assert list(answer.json["error"]["fields"]) == [field]  # type: ignore[index]
    assert LONG not in answer.text
    assert watch.unchanged()


def test_a_text_of_just_the_longest_length_is_taken(cast: Cast, settings_of: SettingsOf) -> None:
    settings_of(max_string_length=300)
    assert made(cast, description="x" * 300)["description"] == "x" * 300


def test_a_body_to_be_sent_has_a_limit_of_its_own(cast: Cast, watch: Watch, settings_of: SettingsOf) -> None:
    settings_of(max_string_length=300, max_request_body_length=400)
    answer = cast.owner.post("/monitors", {**HTTP, "config": {"body": "x" * 401}})
    assert answer.json["error"]["fields"] == {"config.body": "Must have at most 400 characters."}  # type: ignore[index]
    assert watch.unchanged()
    assert made(cast, config={"body": "x" * 400})["config"]["body"] == "x" * 400


def test_a_monitor_saved_under_a_wider_limit_can_still_be_paused(cast: Cast, settings_of: SettingsOf) -> None:
    one = made(cast, config={"body": LONG})
    settings_of(max_request_body_length=300)
    assert cast.editor.patch(f"/monitors/{one['id']}", {"enabled": False}).status_code == 200
    assert cast.editor.patch(f"/monitors/{one['id']}", {"config": {"body": LONG + "y"}}).status_code == 422


def test_a_protocol_that_is_not_allowed_is_refused_at_save_and_says_how_to_allow_it(
    cast: Cast, watch: Watch, settings_of: SettingsOf
) -> None:
    settings_of(allowed_protocols=("https",))
    answer = cast.editor.post("/monitors", {**HTTP, "target": "http://192.0.2.7/"})
    assert answer.status_code == 422
    assert "ALLOWED_PROTOCOLS" in answer.json["error"]["fields"]["target"]  # type: ignore[index]
    assert watch.unchanged()


def test_a_monitor_of_a_protocol_that_was_allowed_before_can_still_be_changed(
    cast: Cast, settings_of: SettingsOf
) -> None:
    one = made(cast, target="http://192.0.2.7/")
    settings_of(allowed_protocols=("https",))
    assert cast.editor.patch(f"/monitors/{one['id']}", {"name": "Other"}).status_code == 200
