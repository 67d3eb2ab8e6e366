"""One SMTP conversation: connect, encrypt, sign in, hand over one message."""

import smtplib
import socket
import ssl
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from threading import Lock
from typing import Any, ClassVar

import host_names
from notifications.dial import dial, tls_context
from notifications.mail import Mail
from notifications.notice import NotificationError
from notifications.plain import line
from notifications.post import redact
from notifications.smtp_login import sign_in

GOODBYE_SECONDS = 1.0
#: Recipient -> code and text of the server's answer.
Refused = dict[str, tuple[int, bytes]]
#: RFC 6531's own code for an address that the server cannot take.
_NO_UTF8 = 553, b"the server lacks SMTPUTF8, which letters beyond ASCII before the @ need"


@dataclass(frozen=True, slots=True)
class Server:
    """Where to hand mail in; `security` is `none`, `starttls` or `tls`. `judged`: the guard applies."""

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    judged: bool = True


class _Client(smtplib.SMTP):
    """smtplib over a connection of `dial`, over at `ends_at` (monotonic seconds) at the latest."""

    def __init__(self, server: Server, ends_at: float, hello: str) -> None:
        self._server = server
        self._ends_at = ends_at
        # The name as certificates have it.
        super().__init__(host_names.bare(server.host), server.port, local_hostname=hello)

    def _get_socket(self, host: str, port: int, *_: Any) -> socket.socket:
        sock: socket.socket = dial(self._server.host, port, self._ends_at, judged=self._server.judged)
        if self._server.security == "tls":
            sock = tls_context("smtp").wrap_socket(sock, server_hostname=host)
            sock.ends_at = self._ends_at  # type: ignore[attr-defined]  # a BoundedTLSSocket
        return sock

    def encrypt(self) -> None:
        """Switch to TLS; never goes on without it."""
        code, reply = self.starttls(context=tls_context("smtp"))
        if code != 220:
            raise smtplib.SMTPResponseException(code, reply)
        self.sock.ends_at = self._ends_at  # type: ignore[union-attr]  # a BoundedTLSSocket


def transmit(server: Server, mail: Mail, ends_at: float) -> None:
    """Hand `mail` to `server` for every recipient who does not have it yet. Raises `NotificationError`.

    A recipient refused for now (greylisting) makes the error a passing one; who has the mail already is remembered by
    its delivery, and a repetition leaves them out.
    """
    receipts = Receipts(mail.delivery)
    waiting = [one for one in _recipients(mail) if one.addr_spec not in receipts.had]
    if not waiting:
        return
    try:
        refused = _converse(server, mail, waiting, ends_at)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(server, error.recipients, everyone=not receipts.had) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _failure(server, error) from None
    if refused:
        receipts.add(one.addr_spec for one in waiting if one.addr_spec not in refused)
        raise _refusal(server, refused, everyone=False)


def _converse(server: Server, mail: Mail, waiting: Sequence[Address], ends_at: float) -> Refused:
    """The whole conversation; who of `waiting` was refused, where not everybody was.

    Raise `smtplib.SMTPRecipientsRefused` if everybody was.
    """
    hello = mail.sender.domain  # the default asks the DNS for our own name, which may take seconds
    client = _Client(server, ends_at, hello)
    try:
        if server.security == "starttls":
            client.encrypt()
        if server.username:
            sign_in(client, _name(server), server.username, server.password)
        client.ehlo_or_helo_if_needed()
        return _hand_over(server, client, mail, waiting)
    finally:
        _leave(client)


def _hand_over(server: Server, client: smtplib.SMTP, mail: Mail, waiting: Sequence[Address]) -> Refused:
    """Send `mail` to those of `waiting` whose address the server can take; the others are refused by ourselves."""
    utf8 = client.has_extn("smtputf8")
    if not utf8 and not mail.sender.username.isascii():
        who = line(mail.sender.addr_spec, 80)
        raise NotificationError(f"{_name(server)} takes no sender like {who}: it lacks SMTPUTF8.", permanent=True)
    kept = [one for one in waiting if utf8 or one.username.isascii()]
    refused = {one.addr_spec: _NO_UTF8 for one in waiting if one not in kept}
    if not kept:
        raise smtplib.SMTPRecipientsRefused(refused)
    named = [one for one in mail.recipients if utf8 or one.username.isascii()]
    beyond = any(not one.username.isascii() for one in [mail.sender, *named])
    options = ["SMTPUTF8"] + (["BODY=8BITMIME"] if client.has_extn("8bitmime") else []) if beyond else []
    wire = mail.as_bytes(named, utf8=beyond)
    try:
        answers = client.sendmail(mail.sender.addr_spec, [one.addr_spec for one in kept], wire, options)
    except smtplib.SMTPRecipientsRefused as error:
        raise smtplib.SMTPRecipientsRefused({**error.recipients, **refused}) from None
    return {**answers, **refused}


class Receipts:
    """Who already has a mail that others are still to get; this process remembers the newest `MOST` such mails."""

    MOST = 500
    _kept: ClassVar[OrderedDict[str, frozenset[str]]] = OrderedDict()
    _changing: ClassVar[Lock] = Lock()

    def __init__(self, delivery: str) -> None:
        self._delivery = delivery
        self.had = self._kept.get(delivery, frozenset())

    @classmethod
    def forget_all(cls) -> None:
        """Remember nothing."""
        with cls._changing:
            cls._kept.clear()

    def add(self, recipients: Iterable[str]) -> None:
        with self._changing:
            self._kept[self._delivery] = self.had = self.had | frozenset(recipients)
            self._kept.move_to_end(self._delivery)
            while len(self._kept) > self.MOST:
                self._kept.popitem(last=False)


def _recipients(mail: Mail) -> list[Address]:
    first: dict[str, Address] = {}
    for one in mail.recipients:
        first.setdefault(one.addr_spec, one)
    return list(first.values())


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye; the message is taken or refused by now, and how this ends changes nothing."""
    with suppress(smtplib.SMTPException, OSError):
        if client.sock:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()
    client.close()


def _refusal(server: Server, refused: Refused, *, everyone: bool) -> NotificationError:
    who = ", ".join(f"{line(address, 80)} ({_reply(server, *answer)})" for address, answer in list(refused.items())[:5])
    permanent = all(code >= 500 for code, _ in refused.values())
    others = "" if everyone else " The others got it."
    return NotificationError(f"{_name(server)} refused {who}.{others}", permanent=permanent, outage=False)


def _failure(server: Server, error: Exception) -> NotificationError:
    name = _name(server)
    if isinstance(error.__context__, TimeoutError):  # smtplib takes it for a broken connection
        error = error.__context__
    match error:
        case smtplib.SMTPResponseException(smtp_code=code) if not 200 <= code < 600:
            return NotificationError(f"{name} does not answer in SMTP: look at the port.", permanent=False)
        case smtplib.SMTPResponseException():
            answer = _reply(server, error.smtp_code, error.smtp_error)
            away = error.smtp_code == 421
            return NotificationError(f"{name} answered {answer}.", permanent=error.smtp_code >= 500, outage=away)
        case smtplib.SMTPNotSupportedError():
            return NotificationError(f"{name} does not offer STARTTLS.", permanent=True)
        case ssl.SSLCertVerificationError():
            return NotificationError(
                f"{name} could not be trusted: {line(error.verify_message, 200)}.", permanent=False
            )
        case TimeoutError():
            return NotificationError(f"{name} did not answer in time.", permanent=False)
        case smtplib.SMTPException() | OSError():
            return NotificationError(f"{name} broke the conversation off.", permanent=False)
    return NotificationError("The mail could not be put into the form that SMTP asks for.", permanent=True)


def _reply(server: Server, code: int, text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    secrets = [secret for secret in (server.password, server.username) if secret]
    return line(f"{code} {line(redact(shown, secrets), 200)}", 210)


def _name(server: Server) -> str:
    return line(server.host, 100)
