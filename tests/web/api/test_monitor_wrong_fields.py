"""Everything that can be wrong with a monitor is named, and nothing is saved."""

from typing import Any
from uuid import uuid4

import psycopg

from tests import factories
from tests.conftest import SettingsOf
from tests.web.api.cast import Cast, Watch
from tests.web.api.monitors import HTTP, Row, made

WRONG: list[tuple[str, Row]] = [
    ("name", {"name": ""}),
    ("name", {"name": " "}),
    ("name", {"name": "a" * 256}),
    ("name", {"name": None}),
    ("name", {"name": 5}),
    ("type", {"type": "ftp"}),
    ("type", {"type": 5}),
    ("target", {"target": ""}),
    ("target", {"target": "example.com"}),
    ("target", {"target": "ftp://example.com/"}),
    ("target", {"target": "file:///etc/passwd"}),
    ("target", {"target": "http://"}),
    ("target", {"target": "http://a b/"}),
    ("target", {"target": "http://example.com:99999/"}),
    ("target", {"target": "http://example.com:0/"}),
    ("target", {"target": "http://user:secret@example.com/"}),
    ("target", {"target": "http://example.com\\@evil.test/"}),
    ("target", {"target": "http://256.1.1.1/"}),
    ("target", {"target": "http://１２７.0.0.1/"}),
    ("target", {"target": "http://example.com../"}),
    ("target", {"target": "http://ü\u0301\u200d.example/"}),
    ("target", {"target": "http://[::1/"}),
    ("target", {"target": "x" * 2049}),
    ("target", {"type": "ping_host", "target": "http://example.com/"}),
    ("target", {"type": "ping_host", "target": "example.com; reboot"}),
    ("target", {"type": "ping_host", "target": "fe80::1%eth0"}),
    ("target", {"type": "port_check", "target": "example.com:22", "config": {"port": 22}}),
    ("frequencyMinutes", {"frequencyMinutes": 0}),
    ("frequencyMinutes", {"frequencyMinutes": 0.5}),
    ("frequencyMinutes", {"frequencyMinutes": 1441}),
    ("frequencyMinutes", {"frequencyMinutes": "5"}),
    ("frequencyMinutes", {"frequencyMinutes": True}),
    ("cronExpression", {"cronExpression": "* * * *"}),
    ("cronExpression", {"cronExpression": "* * * * * *"}),
    ("cronExpression", {"cronExpression": "@daily"}),
    ("cronExpression", {"cronExpression": "61 * * * *"}),
    ("cronExpression", {"cronExpression": "0 0 30 2 *"}),
    ("timezone", {"timezone": "Mars/Olympus"}),
    ("timezone", {"timezone": "../../etc/passwd"}),
    ("timezone", {"timezone": "America"}),
    *[("timezone", {"timezone": name}) for name in ("localtime", "posixrules", "Factory", "right/UTC", "posix/UTC")],
    ("enabled", {"enabled": "yes"}),
    ("description", {"description": "a" * 5001}),
    ("tags", {"tags": "prod"}),
    ("tags", {"tags": ["a,b"]}),
    ("tags.0", {"tags": [""]}),
    ("mutedUntil", {"mutedUntil": "tomorrow"}),
    ("mutedUntil", {"mutedUntil": "2030-01-01T00:00:00"}),
    ("config", {"config": []}),
    ("config.timeoutSeconds", {"config": {"timeoutSeconds": 4}}),
    ("config.timeoutSeconds", {"config": {"timeoutSeconds": 301}}),
    ("config.retries", {"config": {"retries": 6}}),
    ("config.port", {"config": {"port": 80}}),
    ("config.method", {"config": {"method": "TRACE"}}),
    ("config.headers", {"config": {"headers": {"X-A": "a\r\nB: c"}}}),
    ("config.headers", {"config": {"headers": {"X A": "a"}}}),
    ("config.headers", {"config": {"headers": {"Transfer-Encoding": "chunked"}}}),
    ("config.headers", {"config": {"headers": {"X-A": "1", "x-a": "2"}}}),
    ("config.headers.X-A", {"config": {"headers": {"X-A": 1}}}),
    ("config.expectedStatusCodes", {"config": {"expectedStatusCodes": "20x"}}),
    ("config.expectedStatusCodes", {"config": {"expectedStatusCodes": "2000"}}),
    ("config.jsonPath", {"config": {"jsonPath": "$.["}}),
    ("config.jsonPathExpected", {"config": {"jsonPathExpected": {"op": "like", "value": 1}}}),
    ("config.jsonPathExpected", {"config": {"jsonPathExpected": {"op": "matches", "value": "("}}}),
    ("config.jsonPathExpected", {"config": {"jsonPathExpected": {"op": "matches", "value": "a{4294967296}"}}}),
    ("config.jsonPathExpected", {"config": {"jsonPathExpected": {"op": "matches", "value": "(" * 3000 + ")" * 3000}}}),
    ("config.jsonPath", {"config": {"jsonPath": "$[?@.a==1e400]"}}),
    ("config.auth", {"config": {"auth": {"type": "basic"}}}),
    ("config.auth", {"config": {"auth": {"type": "bearer"}}}),
    ("config.auth.type", {"config": {"auth": {"type": "digest"}}}),
    ("config.auth.token", {"config": {"auth": {"type": "bearer", "token": "a\nb"}}}),
    ("config.auth.password", {"config": {"auth": {"type": "basic", "username": "a", "password": "ab…yz"}}}),
    ("config.ipVersion", {"config": {"ipVersion": "5"}}),
    ("config.maxRedirects", {"config": {"maxRedirects": 21}}),
    ("config.locationConfig.threshold", {"config": {"locationConfig": {"threshold": 0}}}),
    ("config.locationConfig.strategy", {"locationConfig": {"strategy": "most"}}),
    ("config.locationConfig.locations", {"locationConfig": {"enabled": True, "locations": ["moon"]}}),
    ("config.locationConfig.naem", {"locationConfig": {"naem": 1}}),
    ("config.headers", {"type": "website", "config": {"headers": {}}}),
    ("config.packetCount", {"type": "ping_host", "target": "192.0.2.7", "config": {"packetCount": 11}}),
    ("config.port", {"type": "port_check", "target": "192.0.2.7"}),
    ("config.port", {"type": "port_check", "target": "192.0.2.7", "config": {"port": 65536}}),
    ("config.locationConfig", {"type": "heartbeat", "config": {"locationConfig": {"enabled": True}}}),
    ("locationConfig", {"type": "heartbeat", "locationConfig": {"enabled": True}}),
    ("cronExpression", {"type": "heartbeat", "cronExpression": "0 4 * * *"}),
    ("config.expectedIntervalMinutes", {"type": "heartbeat", "config": {"expectedIntervalMinutes": 366 * 1440}}),
    (
        "config.expectedIntervalMinutes",
        {"type": "heartbeat", "config": {"expectedIntervalMinutes": 0.5, "gracePeriodMinutes": 0}},
    ),
    ("config.cronExpression", {"type": "heartbeat", "config": {"cronExpression": "whenever"}}),
    ("config.timezone", {"type": "heartbeat", "config": {"timezone": "Nowhere"}}),
    ("config.timezone", {"type": "heartbeat", "config": {"timezone": "localtime"}}),
    ("config.testId", {"type": "synthetic_test", "config": {"testId": str(uuid4())}}),
    ("config.testId", {"type": "synthetic_test"}),
    ("alertConfig.failureThreshold", {"alertConfig": {"failureThreshold": 21}}),
    ("alertConfig.notificationProviders.0", {"alertConfig": {"notificationProviders": ["nonsense"]}}),
    ("alertConfig.notificationProviders", {"alertConfig": {"notificationProviders": [str(uuid4())]}}),
    ("alertConfig.naem", {"alertConfig": {"naem": 1}}),
    ("naem", {"naem": 1}),
]


def test_every_wrong_field_is_named_and_nothing_is_made(cast: Cast, watch: Watch) -> None:
    for field, changes in WRONG:
        answer = cast.editor.post("/monitors", {**HTTP, **changes})
        assert answer.status_code == 422, (changes, answer.text)
        assert field in answer.json["error"]["fields"], (changes, answer.text)  # type: ignore[index]
    assert watch.unchanged()


def test_the_same_wrong_fields_change_nothing(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = made(cast)
    before = connection.execute("SELECT * FROM monitors").fetchall()
    for field, changes in WRONG:
        if "type" in changes or field == "config.auth.password":
            continue
        answer = cast.editor.patch(f"/monitors/{monitor['id']}", changes)
        assert answer.status_code == 422, (changes, answer.text)
        assert field in answer.json["error"]["fields"], (changes, answer.text)  # type: ignore[index]
    assert connection.execute("SELECT * FROM monitors").fetchall() == before


def test_all_wrong_fields_are_named_at_once(cast: Cast) -> None:
    answer = cast.editor.post("/monitors", {"type": "http", "naem": 1, "config": {"retries": 9, "x": 1}})
    fields = answer.json["error"]["fields"]  # type: ignore[index]
    assert fields.keys() == {"name", "target", "naem", "config.retries", "config.x"}


def test_an_internal_target_is_refused_with_the_way_to_allow_it(cast: Cast, settings_of: SettingsOf) -> None:
    settings_of(allow_internal_targets=False)
    for target in (
        "http://127.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest",
        "http://localhost/",
    ):
        answer = cast.editor.post("/monitors", {**HTTP, "target": target})
        assert answer.status_code == 422
        assert "ALLOWED_INTERNAL_TARGETS" in answer.json["error"]["fields"]["target"]  # type: ignore[index]


def test_another_projects_provider_cannot_be_named(cast: Cast) -> None:
    foreign, own = factories.a_provider(cast.other_project), factories.a_provider(cast.project)
    ids = [str(own.id), str(foreign.id)]
    assert cast.editor.post("/monitors", {**HTTP, "alertConfig": {"notificationProviders": ids}}).status_code == 422
    assert made(cast, alertConfig={"notificationProviders": ids[:1]})["alertConfig"]["notificationProviders"] == ids[:1]
