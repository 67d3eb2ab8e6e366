"""One SMTP conversation: connect, encrypt, sign in, hand over one message."""

import smtplib
import socket
import ssl
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from threading import Lock
from typing import Any, ClassVar

import host_names
from notifications.dial import dial, tls_context
from notifications.notice import NotificationError
from notifications.plain import line
from notifications.post import redact

GOODBYE_SECONDS = 1.0


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


def transmit(server: Server, mail: EmailMessage, ends_at: float) -> None:
    """Hand `mail` to `server` for everyone in its To who does not have it yet. Raises `NotificationError`.

    A recipient refused for now (greylisting) makes the error a passing one; who has the mail already is remembered by
    its delivery, and a repetition leaves them out.
    """
    receipts = Receipts(str(mail["X-Supercheck-Delivery"]))
    waiting = [one for one in _recipients(mail) if one not in receipts.had]
    if not waiting:
        return
    try:
        refused = _converse(server, mail, waiting, ends_at)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(server, error.recipients, everyone=not receipts.had) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _failure(server, error) from None
    if refused:
        receipts.add(one for one in waiting if one not in refused)
        raise _refusal(server, refused, everyone=False)


def _converse(server: Server, mail: EmailMessage, to: list[str], ends_at: float) -> dict[str, tuple[int, bytes]]:
    """The whole conversation; answers who of `to` was refused, where not everybody was."""
    hello = str(mail["From"].addresses[0].domain)  # the default asks the DNS for our own name, which may take seconds
    client = _Client(server, ends_at, hello)
    try:
        if server.security == "starttls":
            client.encrypt()
        if server.username:
            client.login(server.username, server.password)
        return client.send_message(mail, to_addrs=to)
    finally:
        _leave(client)


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


def _recipients(mail: EmailMessage) -> list[str]:
    return list(dict.fromkeys(address.addr_spec for address in mail["To"].addresses))


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye; the message is taken or refused by now, and how this ends changes nothing."""
    with suppress(smtplib.SMTPException, OSError):
        if client.sock:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()
    client.close()


def _refusal(server: Server, refused: dict[str, tuple[int, bytes]], *, everyone: bool) -> NotificationError:
    who = ", ".join(f"{line(address, 80)} ({_reply(server, *answer)})" for address, answer in list(refused.items())[:5])
    permanent = all(code >= 500 for code, _ in refused.values())
    others = "" if everyone else " The others got it."
    return NotificationError(f"{_name(server)} refused {who}.{others}", permanent=permanent, outage=False)


def _failure(server: Server, error: Exception) -> NotificationError:
    name = _name(server)
    if isinstance(error.__context__, TimeoutError):  # smtplib takes it for a broken connection
        error = error.__context__
    match error:
        case smtplib.SMTPResponseException():
            answer = _reply(server, error.smtp_code, error.smtp_error)
            away = error.smtp_code == 421
            return NotificationError(f"{name} answered {answer}.", permanent=error.smtp_code >= 500, outage=away)
        case smtplib.SMTPNotSupportedError():
            what = "STARTTLS" if server.security == "starttls" else "something that this message needs"
            return NotificationError(f"{name} does not offer {what}, or no way to sign in.", permanent=True)
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
