"""The webhook channel against a local service."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from notifications import NotificationError, webhook
from tests.notifications.notices import hostile, outage
from tests.notifications.service import Answer, Service
from tests.notifications.shape import closed, validate
from web.features.monitors.config_schemas import check_header

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_NUMBER = {"type": ["number", "null"]}
_ID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_TIME = {"type": ["string", "null"], "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


SCHEMA = closed(
    {
        "event": {"enum": ["monitor.down", "monitor.up", "monitor.ssl_expiring", "heartbeat.missed", "test"]},
        "alertId": {"anyOf": [_ID, {"type": "null"}]},
        "deliveryId": _ID,
        "sentAt": _TIME | {"type": "string"},
        "monitor": closed({"id": _ID, "name": _TEXT, "type": _TEXT, "target": _TEXT, "url": _TEXT}),
        "status": _TEXT,
        "previousStatus": _MAYBE_TEXT,
        "reason": _TEXT,
        "errorCode": _MAYBE_TEXT,
        "responseTimeMs": _MAYBE_NUMBER,
        "checkedAt": _TIME,
        "consecutiveFailureCount": {"type": "integer"},
        "alertNumber": {"type": ["integer", "null"]},
        "locations": {
            "type": "array",
            "items": closed(
                {"location": _TEXT, "status": _TEXT, "responseTimeMs": _MAYBE_NUMBER, "error": _MAYBE_TEXT}
            ),
        },
        "downSince": _TIME,
        "downForSeconds": {"type": ["integer", "null"]},
        "customMessage": _TEXT,
        "project": _TEXT,
    }
)


def test_the_payload_is_that_of_the_contract(service: Service) -> None:
    webhook.send(outage(), {"url": service.url("/hook?token=abcdef")})
    request = service.requests[0]
    sent = json.loads(request.body)
    validate(sent, SCHEMA)
    assert (request.method, request.path) == ("POST", "/hook?token=abcdef")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Supercheck-Event"] == sent["event"] == "monitor.down"
    assert request.headers["X-Supercheck-Delivery"] == sent["deliveryId"] == "33333333-3333-4333-8333-333333333333"
    assert (sent["sentAt"], sent["downSince"]) == ("2026-03-01T12:30:05Z", "2026-03-01T12:24:53Z")
    assert sent["locations"][1]["error"] == "503 Service Unavailable"


def test_a_test_message_without_alert_monitor_figures_or_outage_fits_the_contract_too(service: Service) -> None:
    empty: dict[str, Any] = dict.fromkeys(("alert_id", "error_code", "response_time_ms", "checked_at", "alert_number"))
    notice = outage(event="test", locations=(), down_since=None, down_for_seconds=None, previous_status=None, **empty)
    webhook.send(notice, {"url": service.url()})
    validate(json.loads(service.requests[0].body), SCHEMA)


def test_hostile_texts_arrive_as_they_are_and_as_json(service: Service) -> None:
    webhook.send(hostile(), {"url": service.url()})
    sent = json.loads(service.requests[0].body)
    validate(sent, SCHEMA)
    assert sent["monitor"]["name"] == hostile().monitor.name


def test_the_signature_is_the_hmac_of_the_body(service: Service) -> None:
    webhook.send(outage(), {"url": service.url(), "secret": "s3cret-ü"})
    request = service.requests[0]
    expected = hmac.new("s3cret-ü".encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Supercheck-Signature"] == f"sha256={expected}"


def test_without_a_secret_nothing_is_signed(service: Service) -> None:
    webhook.send(outage(), {"url": service.url(), "secret": ""})
    assert "X-Supercheck-Signature" not in service.requests[0].headers


def test_method_headers_and_user_info_are_sent(service: Service) -> None:
    url = service.url().replace("//", "//me:pass%20word@")
    webhook.send(outage(), {"url": url, "method": "put", "headers": {"X-Team": "shop"}})
    request = service.requests[0]
    assert (request.method, request.headers["X-Team"]) == ("PUT", "shop")
    assert request.headers["Authorization"] == "Basic bWU6cGFzcyB3b3Jk"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Injected: yes"},
        {"X-A\r\nX-Injected": "yes"},
        {"X-A": "\x00"},
        {"Host": "internal.test"},
        {"content-LENGTH": "3"},
        {"Transfer-Encoding": "chunked"},
        {"X-Supercheck-Signature": "sha256=forged"},
        {"": "x"},
    ],
)
def test_headers_that_would_break_or_forge_the_message_are_refused(service: Service, headers: dict[str, str]) -> None:
    with pytest.raises(NotificationError) as raised:
        webhook.send(outage(), {"url": service.url(), "headers": headers})
    assert raised.value.permanent
    assert service.requests == []


@pytest.mark.parametrize("value", ["ä", "2 €", "日本", "x" * 8192])
def test_a_header_that_could_be_saved_is_sent_in_utf_8(service: Service, value: str) -> None:
    check_header("X-A" + "b" * 250, value)
    webhook.send(outage(), {"url": service.url(), "headers": {"X-A" + "b" * 250: value}})
    # The server of the standard library reads Latin-1
    assert service.requests[0].headers["X-A" + "b" * 250].encode("latin-1").decode() == value


def test_headers_that_are_none_are_refused(service: Service) -> None:
    with pytest.raises(NotificationError, match="names and values"):
        webhook.send(outage(), {"url": service.url(), "headers": ["X-A: b"]})


def test_an_unknown_method_is_refused(service: Service) -> None:
    with pytest.raises(NotificationError, match="POST, PUT, PATCH") as raised:
        webhook.send(outage(), {"url": service.url(), "method": "DELETE"})
    assert raised.value.permanent
    assert service.requests == []


def test_an_error_tells_no_secret_even_if_the_service_repeats_all_it_was_sent(service: Service) -> None:
    secrets = ["Zx81pathsecret", "Qy72token", "user-name-1", "pass-word-2", "header-value-3"]
    url = service.url(f"/hooks/{secrets[0]}?key={secrets[1]}").replace("//", f"//{secrets[2]}:{secrets[3]}@")
    echo = f"no hook {url} {' '.join(secrets)} sorry"
    service.answers.append(Answer(404, echo.encode()))
    with pytest.raises(NotificationError) as raised:
        webhook.send(outage(), {"url": url, "headers": {"X-Key": secrets[4]}})
    message = str(raised.value)
    assert not [secret for secret in secrets if secret in message]
    assert message.startswith("127.0.0.1 responded with HTTP 404: no hook")
    assert message.endswith("sorry")


@pytest.mark.parametrize(
    ("user_info", "login"),
    [
        ("jörg:gehëim", "jörg:gehëim".encode()),
        ("j%C3%B6rg:geh%C3%ABim", "jörg:gehëim".encode()),
        ("ada:10€%2F漢", "ada:10€/漢".encode()),
        # Escaped in another charset: as the user escaped it.
        ("j%F6rg:x", b"j\xf6rg:x"),
        ("a%3Ab:p%40ss:word", b"a:b:p@ss:word"),
        ("token", b"token:"),
        (":secret-only", b":secret-only"),
    ],
)
def test_a_login_in_the_url_goes_out_in_utf_8(service: Service, user_info: str, login: bytes) -> None:
    webhook.send(outage(), {"url": f"http://{user_info}@127.0.0.1:{service.port}/hook"})
    (got,) = service.requests
    scheme, _, coded = got.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(coded)) == ("Basic", login)
    assert got.path == "/hook"


def test_a_login_in_the_url_stays_out_of_the_error(service: Service) -> None:
    service.answers.append(Answer(403, f"no {base64.b64encode('jörg:gehëim€'.encode()).decode()} gehëim€".encode()))
    with pytest.raises(NotificationError) as raised:
        webhook.send(outage(), {"url": f"http://jörg:gehëim€@127.0.0.1:{service.port}/hook"})
    assert "…" in str(raised.value)
    assert "gehëim" not in str(raised.value)
    assert base64.b64encode("jörg:gehëim€".encode()).decode() not in str(raised.value)
