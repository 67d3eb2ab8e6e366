"""The Apprise channel: only services that do nothing but HTTP, and those through our guard."""

import base64
import json
from typing import Any

import pytest

from notifications import NotificationError, apprise
from tests.notifications.notices import outage, recovery
from tests.notifications.service import Answer, Service


def test_a_message_goes_to_the_service_that_the_url_names(service: Service) -> None:
    apprise.send(outage(), {"url": f"json://127.0.0.1:{service.port}/team"})
    payload: dict[str, Any] = json.loads(service.requests[0].body)
    assert service.requests[0].path == "/team"
    assert payload["title"] == "🔴 Shop front is down"
    assert payload["type"] == "failure"
    for said in (
        "expected was 200-299",
        "For: 5 minutes 12 seconds",
        "us-east: down",
        "Alert: 2 of 3",
        "watch.example",
    ):
        assert said in payload["message"]


def test_a_second_message_and_another_service_work_as_well(service: Service) -> None:
    apprise.send(outage(), {"url": f"json://127.0.0.1:{service.port}/"})
    apprise.send(recovery(), {"url": f"form://127.0.0.1:{service.port}/"})
    apprise.send(recovery(), {"url": f"gotify://127.0.0.1:{service.port}/AbCdEf123456789"})
    assert len(service.requests) == 3
    assert b"is+up+again" in service.requests[1].body


@pytest.mark.parametrize(
    "url",
    [
        "syslog://",
        "dbus://",
        "rsyslog://127.0.0.1",
        "mailto://me:pass@127.0.0.1",
        "mqtt://127.0.0.1/topic",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd",
        "macosx://",
        "irc://127.0.0.1/channel",
    ],
)
def test_services_that_do_more_than_http_are_refused(service: Service, url: str) -> None:
    with pytest.raises(NotificationError, match="only services that work over HTTP") as raised:
        apprise.send(outage(), {"url": url})
    assert raised.value.permanent


@pytest.mark.parametrize("url", ["", "nonsense", "nosuch://x", "json://", "gotify://host", "file:///etc/passwd"])
def test_a_url_that_is_none_is_a_lasting_error_that_does_not_repeat_it(service: Service, url: str) -> None:
    with pytest.raises(NotificationError) as raised:
        apprise.send(outage(), {"url": url})
    assert raised.value.permanent
    assert "passwd" not in str(raised.value)


def test_options_in_the_url_loosen_nothing(service: Service) -> None:
    service.answers.append(Answer(302, headers={"Location": service.url("/elsewhere")}))
    with pytest.raises(NotificationError, match="302"):
        apprise.send(outage(), {"url": f"json://127.0.0.1:{service.port}/?redirect=yes&verify=no&rto=600"})
    assert len(service.requests) == 1


def test_a_url_with_very_many_recipients_is_stopped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise, "MAX_CALLS", 2)
    numbers = "/".join(f"+4917012345{number:02}" for number in range(40))
    with pytest.raises(NotificationError, match="more than 2 calls") as raised:
        apprise.send(outage(), {"url": f"signal://127.0.0.1:{service.port}/+491701234500/{numbers}?batch=no"})
    assert raised.value.permanent
    assert len(service.requests) == 2


def test_a_delivery_of_many_calls_ends_in_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise, "MAX_SECONDS", -1.0)
    with pytest.raises(NotificationError, match="took too long") as raised:
        apprise.send(outage(), {"url": f"json://127.0.0.1:{service.port}/"})
    assert not raised.value.permanent
    assert service.requests == []


def test_hostile_texts_call_nobody_and_hide_no_link(service: Service) -> None:
    hostile = '$.s gives "@all [reset](https://evil.example) <at user_id=1> <users/all>"'
    apprise.send(outage(reason=hostile), {"url": f"mmost://127.0.0.1:{service.port}/3ccdd113474722377935511fc85d3dd4"})
    text = json.loads(service.requests[0].body)["text"]
    assert "reset" in text
    for markup in ("@all", "](", "<at", "<users"):
        assert markup not in text


def test_a_login_beyond_ascii_goes_out_in_utf_8(service: Service) -> None:
    apprise.send(outage(), {"url": f"json://j%C3%B6rg:10%E2%82%AC@127.0.0.1:{service.port}/"})
    coded = service.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(coded) == "jörg:10€".encode()
