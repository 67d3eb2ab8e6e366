"""Signing in, and addresses beyond ASCII, against local SMTP servers."""

import base64
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd import smtp
from aiosmtpd.smtp import AuthResult, Envelope, Session

from notifications import NotificationError, email
from tests.notifications import strict_mail
from tests.notifications.conftest import Configure
from tests.notifications.mailbox import Mailbox
from tests.notifications.notices import outage
from tests.notifications.test_email import _answers, _serving, _talking

USERNAME, PASSWORD = "jörg@büro.example", "gehëim€-漢字"
LOGIN = {"username": USERNAME, "password": PASSWORD}


def _lets_in(server: smtp.SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=data)


class _CramMD5Mailbox(Mailbox):
    async def auth_CRAM__MD5(self, server: smtp.SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        challenge = b"<1.2@mail.example>"
        answer = await server.challenge_auth(challenge)
        assert isinstance(answer, bytes)
        digest = hmac.new(PASSWORD.encode(), challenge, "md5").hexdigest().encode()
        return AuthResult(success=answer == USERNAME.encode() + b" " + digest, handled=False)


@pytest.fixture
def mailbox(configure: Configure) -> Mailbox:
    return Mailbox()


def _config(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "to": ["ops@example.com"],
        "smtpHost": "127.0.0.1",
        "smtpPort": port,
        "smtpSecurity": "none",
        "from": "watch@example.org",
    } | changes


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_a_login_beyond_ascii_goes_out_as_utf_8(mailbox: Mailbox, method: str) -> None:
    others = {"PLAIN", "LOGIN"} - {method}
    with _serving(mailbox, authenticator=_lets_in, auth_require_tls=False, auth_exclude_mechanism=others) as port:
        email.send(outage(), _config(port, **LOGIN))
        with pytest.raises(NotificationError, match="535") as raised:
            email.send(outage(), _config(port, **LOGIN | {"password": PASSWORD + "x"}))
    assert raised.value.permanent
    assert PASSWORD not in str(raised.value)
    assert len(mailbox.delivered) == 1


def test_cram_md5_takes_a_login_beyond_ascii_and_is_tried_first(configure: Configure) -> None:
    mailbox = _CramMD5Mailbox()
    with _serving(mailbox, authenticator=_lets_in, auth_require_tls=False) as port:
        email.send(outage(), _config(port, **LOGIN))
    assert len(mailbox.delivered) == 1


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ("AUTH XOAUTH2", "offers XOAUTH2"),
        ("AUTH GSSAPI OAUTHBEARER", "offers GSSAPI, OAUTHBEARER"),
        ("HELP", "only over TLS"),
    ],
)
def test_a_server_without_a_method_of_ours_is_final_and_told(configure: Configure, offered: str, said: str) -> None:
    with _talking(_answers(ehlo=f"250-x\r\n250 {offered}")) as config, pytest.raises(NotificationError) as raised:
        email.send(outage(), config | LOGIN)
    assert "127.0.0.1 does not offer" in str(raised.value)
    assert said in str(raised.value)
    assert raised.value.permanent


def test_a_server_that_hangs_up_on_a_wrong_password_has_refused_it(configure: Configure) -> None:
    def talk(connection: Any) -> None:
        with connection.makefile("rb") as reader:
            for reply in (b"220 hello", b"250-x\r\n250 AUTH PLAIN LOGIN", b"535 wrong"):
                connection.sendall(reply + b"\r\n")
                reader.readline()

    with _talking(talk) as config, pytest.raises(NotificationError, match="replied 535 wrong") as raised:
        email.send(outage(), config | LOGIN)
    assert raised.value.permanent


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_login_with_a_nul_is_refused_by_its_name(mailbox: Mailbox, field: str) -> None:
    with _serving(mailbox) as port, pytest.raises(NotificationError, match="contains a NUL") as raised:
        email.send(outage(), _config(port, **LOGIN | {field: "a\0b"}))
    assert raised.value.permanent


@pytest.fixture
def ascii_only(mailbox: Mailbox) -> Iterator[int]:
    """The port of a server without SMTPUTF8."""
    with _serving(mailbox, enable_SMTPUTF8=False) as port:
        yield port


def test_a_recipient_beyond_ascii_keeps_the_mail_from_nobody_else(mailbox: Mailbox, ascii_only: int) -> None:
    config = _config(ascii_only, to=["ops@example.com", "Jörg <jörg@example.com>", "Zoë <zoe@example.com>"])
    for _ in range(2):
        with pytest.raises(
            NotificationError, match=r"refused jörg@example.com \(553.*SMTPUTF8.*The other recipients got the mail"
        ) as raised:
            email.send(outage(), config)
        assert raised.value.permanent
    (delivered,) = mailbox.delivered
    assert delivered.envelope_to == ["ops@example.com", "zoe@example.com"]
    assert strict_mail.parse(delivered.wire).mailboxes("To") == [("", "ops@example.com"), ("Zoë", "zoe@example.com")]


def test_it_is_tried_again_while_another_recipient_is_greylisted(mailbox: Mailbox, ascii_only: int) -> None:
    mailbox.refuse = {"ops@example.com": "450 greylisted"}
    config = _config(ascii_only, to=["ops@example.com", "jörg@example.com"])
    with pytest.raises(NotificationError, match=r"jörg@example\.com") as raised:
        email.send(outage(), config)
    assert not raised.value.permanent
    assert "The other recipients got the mail" not in str(raised.value)
    mailbox.refuse.clear()
    with pytest.raises(NotificationError, match=r"refused jörg@example\.com"):
        email.send(outage(), config)
    assert [one.envelope_to for one in mailbox.delivered] == [["ops@example.com"]]


@pytest.mark.parametrize(
    ("role", "said"), [("to", "refused jörg@example.com"), ("from", "does not support the sender jörg@example.com")]
)
def test_where_nobody_can_be_reached_it_is_final_and_told(
    mailbox: Mailbox, ascii_only: int, role: str, said: str
) -> None:
    with pytest.raises(NotificationError, match=said) as raised:
        email.send(outage(), _config(ascii_only, **{role: "jörg@example.com"}))
    assert raised.value.permanent
    assert mailbox.delivered == []


def test_a_server_with_smtputf8_gets_the_address_as_it_is(mailbox: Mailbox) -> None:
    with _serving(mailbox, enable_SMTPUTF8=True) as port:
        email.send(outage(), _config(port, to=["ops@example.com", "Jörg <jörg@example.com>"]))
    (delivered,) = mailbox.delivered
    assert delivered.envelope_to == ["ops@example.com", "jörg@example.com"]
    assert strict_mail.parse(delivered.wire).mailboxes("To") == [("", "ops@example.com"), ("Jörg", "jörg@example.com")]


def test_text_beyond_ascii_needs_nothing_of_the_server(mailbox: Mailbox, ascii_only: int) -> None:
    email.send(outage(custom_message="Grüße, 漢字"), _config(ascii_only))
    wire = mailbox.delivered[0].wire
    assert wire.isascii()
    part = strict_mail.parse(wire).body.get_body(("plain",))
    assert part is not None
    assert "Grüße, 漢字" in part.get_content()


def test_what_a_login_is_made_of_stays_out_of_the_error(configure: Configure) -> None:
    coded = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()
    with (
        _talking(_answers(ehlo="250-x\r\n250 AUTH PLAIN", auth=f"535 no {coded}")) as config,
        pytest.raises(NotificationError) as raised,
    ):
        email.send(outage(), config | LOGIN)
    assert coded[-20:] not in str(raised.value)
