"""What every channel must do alike: take a 2xx, tell passing errors from lasting ones, keep secrets."""

import inspect
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from channels import CHANNELS
from notifications import SENDERS, NotificationError
from tests.notifications.notices import HOSTILE, flood, hostile, outage
from tests.notifications.service import Answer, Service

OVER_HTTP = [name for name, channel in CHANNELS.items() if channel.url_field is not None]
SECRET = "123456:verysecretpart"


def config_for(channel: str, service: Service) -> dict[str, Any]:
    """A provider's config that leads to `service`."""
    special = {
        "webhook": {"url": service.url(f"/hook?token={SECRET}")},
        "telegram": {"botToken": SECRET, "chatId": "-1001", "apiBase": service.url("")},
        "apprise": {"url": f"json://127.0.0.1:{service.port}/{SECRET}"},
    }
    return special.get(channel, {"webhookUrl": service.url(f"/hook/{SECRET}")})


def _fails(channel: str, service: Service) -> NotificationError:
    with pytest.raises(NotificationError) as raised:
        SENDERS[channel](outage(), config_for(channel, service))
    assert "verysecretpart" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)
    return raised.value


def test_every_channel_has_its_sender_and_its_secrets() -> None:
    assert (
        set(SENDERS) == {name for name, channel in CHANNELS.items() if channel.secret_fields} == {*OVER_HTTP, "email"}
    )


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_each_answer_in_turn_is_understood(channel: str, service: Service) -> None:
    echo = f"you sent {SECRET} to {service.url('/hook/' + SECRET)}".encode()
    service.answers.extend(
        [
            Answer(200),
            Answer(429, echo, headers={"Retry-After": "7"}),
            Answer(500, echo),
            Answer(404, echo),
            Answer(raw=b"\x16\x03garbage"),
            Answer(200, b"\x00\xff garbage"),
        ]
    )
    SENDERS[channel](outage(), config_for(channel, service))
    limited, broken, gone, garbled = (_fails(channel, service) for _ in range(4))
    SENDERS[channel](outage(), config_for(channel, service))
    assert (limited.permanent, limited.retry_after) == (False, 7.0)
    assert (broken.permanent, broken.retry_after) == (False, None)
    assert gone.permanent
    assert not garbled.permanent
    assert len(service.requests) == 6


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize("status", [400, 401, 403, 410, 413])
def test_a_channel_that_was_closed_to_us_is_a_lasting_error(channel: str, status: int, service: Service) -> None:
    service.answers.append(Answer(status, f"token {SECRET} was revoked".encode(), {"Retry-After": "5"}))
    error = _fails(channel, service)
    assert (error.permanent, error.retry_after, error.outage) == (True, None, False)


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}', 64.57),
        (b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 35}}', 35.0),
        (b'{"retry_after": true}', None),
        (b'{"retry_after": -1, "parameters": [1]}', None),
        (b'{"parameters": {"retry_after": "soon"}}', None),
        (b'{"retry_after": 1e400}', None),
        (b'{"retry_after": 99999999}', 86_400.0),
        (b"[35]", None),
        (b"[" * 60_000, None),
        (b'{"retry_after": 3', None),
    ],
)
def test_the_time_to_wait_is_read_from_the_body_too(
    channel: str, body: bytes, seconds: float | None, service: Service
) -> None:
    service.answers.append(Answer(429, body))
    error = _fails(channel, service)
    assert (error.permanent, error.retry_after, error.outage) == (False, seconds, False)


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_the_header_takes_precedence_over_the_body(channel: str, service: Service) -> None:
    service.answers.append(Answer(429, b'{"retry_after": 64}', {"Retry-After": "7"}))
    assert _fails(channel, service).retry_after == 7.0


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_channel_follows_a_redirect_inwards(channel: str, status: int, service: Service) -> None:
    service.answers.append(Answer(status, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}))
    _fails(channel, service)
    assert len(service.requests) == 1


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize(
    "half",
    [b"", b"HTTP/1.1 20", b"HTTP/1.1 500 Oops\r\nContent-Length: 900\r\n\r\n" + SECRET.encode(), b"\x00" * 70_000],
)
def test_half_an_answer_is_a_passing_error(channel: str, half: bytes, service: Service) -> None:
    service.answers.append(Answer(raw=half))
    error = _fails(channel, service)
    assert (error.permanent, error.outage) == (False, True)


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize("status", [200, 502])
def test_of_a_huge_answer_only_the_beginning_is_read(channel: str, status: int, service: Service) -> None:
    service.answers.append(Answer(status, (SECRET + " ").encode() * 100_000))
    if status == 200:
        SENDERS[channel](outage(), config_for(channel, service))
    else:
        assert len(str(_fails(channel, service))) < 300


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_summary_breaks_no_channel(channel: str, service: Service) -> None:
    SENDERS[channel](flood(200, HOSTILE), config_for(channel, service))
    assert len(service.requests) == 1


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_the_guard_stands_before_every_channel(channel: str, service: Service, configure: Any) -> None:
    configure(allow_internal_targets=False)
    error = _fails(channel, service)
    assert error.permanent
    assert "internal address" in str(error)
    assert service.requests == []


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_are_delivered_by_every_channel(channel: str, service: Service, length: int) -> None:
    SENDERS[channel](hostile(length), config_for(channel, service))
    assert len(service.requests) == 1


@pytest.mark.parametrize("channel", [*OVER_HTTP, "email"])
def test_an_empty_config_is_a_lasting_error(channel: str, configure: Any) -> None:
    with pytest.raises(NotificationError) as raised:
        SENDERS[channel](outage(), {})
    assert raised.value.permanent


def test_a_channel_is_imported_when_it_is_used_and_not_before() -> None:
    """Every process that hands an alert on imports the package; what channels need weighs ten megabytes."""
    program = (
        "import sys, notifications; print(sorted({'requests', 'jinja2', 'smtplib', 'apprise'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("channel", [*OVER_HTTP, "email"])
def test_every_channel_is_a_file_of_its_name_with_one_signature(channel: str) -> None:
    send = import_module(f"notifications.{channel}").send
    assert inspect.signature(send) == inspect.signature(SENDERS[channel])
