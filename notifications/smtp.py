"""One SMTP session: connect, encrypt, authenticate, send one message."""

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
#: Recipient -> code and text of the server's reply.
Refused = dict[str, tuple[int, bytes]]
#: The code of RFC 6531 for an address that the server does not support.
_NO_UTF8 = 553, b"the server does not support SMTPUTF8, which non-ASCII letters before the @ need"


@dataclass(frozen=True, slots=True)
class Server:
    """The mail server; `security` is `none`, `starttls` or `tls`. `guarded`: the guard checks its address."""

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    guarded: bool = True


class _Client(smtplib.SMTP):
    """smtplib over a connection of `dial`, with a deadline in monotonic seconds."""

    def __init__(self, server: Server, deadline: float, hello: str) -> None:
        self._server = server
        self._deadline = deadline
        # Without brackets and trailing dot, as in certificates.
        super().__init__(host_names.bare(server.host), server.port, local_hostname=hello)

    def _get_socket(self, host: str, port: int, *_: Any) -> socket.socket:
        sock: socket.socket = dial(self._server.host, port, self._deadline, guarded=self._server.guarded)
        if self._server.security == "tls":
            sock = tls_context("smtp").wrap_socket(sock, server_hostname=host)
            sock.deadline = self._deadline  # type: ignore[attr-defined]  # a BoundedTLSSocket
        return sock

    def encrypt(self) -> None:
        """Switch to TLS. Raise `smtplib.SMTPResponseException` if the server refuses."""
        code, reply = self.starttls(context=tls_context("smtp"))
        if code != 220:
            raise smtplib.SMTPResponseException(code, reply)
        self.sock.deadline = self._deadline  # type: ignore[union-attr]  # a BoundedTLSSocket


def transmit(server: Server, mail: Mail, deadline: float) -> None:
    """Send `mail` through `server` to every recipient who does not have it yet. Raise `NotificationError`.

    The error is temporary if a recipient is refused temporarily (greylisting). A retry of the same delivery leaves out the
    recipients whose mail the server has accepted.
    """
    receipts = Receipts(mail.delivery)
    waiting = [recipient for recipient in _recipients(mail) if recipient.addr_spec not in receipts.accepted]
    if not waiting:
        return
    try:
        refused = _run_session(server, mail, waiting, deadline)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(server, error.recipients, everyone=not receipts.accepted) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _failure(server, error) from None
    if refused:
        receipts.add(recipient.addr_spec for recipient in waiting if recipient.addr_spec not in refused)
        raise _refusal(server, refused, everyone=False)


def _run_session(server: Server, mail: Mail, waiting: Sequence[Address], deadline: float) -> Refused:
    """Send `mail` in one session and return the refused recipients.

    Raise `smtplib.SMTPRecipientsRefused` if all of `waiting` were refused.
    """
    hello = mail.sender.domain  # the default resolves this host's name, which may take seconds
    client = _Client(server, deadline, hello)
    try:
        if server.security == "starttls":
            client.encrypt()
        if server.username:
            sign_in(client, _name(server), server.username, server.password)
        client.ehlo_or_helo_if_needed()
        return _send(server, client, mail, waiting)
    finally:
        _quit(client)


def _send(server: Server, client: smtplib.SMTP, mail: Mail, waiting: Sequence[Address]) -> Refused:
    """Send `mail` to those of `waiting` whose address the server supports; the others count as refused."""
    utf8 = client.has_extn("smtputf8")
    if not utf8 and not mail.sender.username.isascii():
        sender = line(mail.sender.addr_spec, 80)
        raise NotificationError(
            f"{_name(server)} does not support the sender {sender}: it lacks SMTPUTF8.", permanent=True
        )
    supported = [recipient for recipient in waiting if utf8 or recipient.username.isascii()]
    refused = {recipient.addr_spec: _NO_UTF8 for recipient in waiting if recipient not in supported}
    if not supported:
        raise smtplib.SMTPRecipientsRefused(refused)
    listed = [recipient for recipient in mail.recipients if utf8 or recipient.username.isascii()]
    needs_utf8 = any(not address.username.isascii() for address in [mail.sender, *listed])
    options = ["SMTPUTF8"] + (["BODY=8BITMIME"] if client.has_extn("8bitmime") else []) if needs_utf8 else []
    message = mail.as_bytes(listed, utf8=needs_utf8)
    try:
        answers = client.sendmail(
            mail.sender.addr_spec, [recipient.addr_spec for recipient in supported], message, options
        )
    except smtplib.SMTPRecipientsRefused as error:
        raise smtplib.SMTPRecipientsRefused({**error.recipients, **refused}) from None
    return {**answers, **refused}


class Receipts:
    """The recipients whose mail was accepted when others were refused. A process remembers the newest `MAX_MAILS` mails."""

    MAX_MAILS = 500
    _accepted: ClassVar[OrderedDict[str, frozenset[str]]] = OrderedDict()
    _lock: ClassVar[Lock] = Lock()

    def __init__(self, delivery: str) -> None:
        self._delivery = delivery
        self.accepted = self._accepted.get(delivery, frozenset())

    @classmethod
    def forget_all(cls) -> None:
        """Forget all mails."""
        with cls._lock:
            cls._accepted.clear()

    def add(self, recipients: Iterable[str]) -> None:
        with self._lock:
            self._accepted[self._delivery] = self.accepted = self.accepted | frozenset(recipients)
            self._accepted.move_to_end(self._delivery)
            while len(self._accepted) > self.MAX_MAILS:
                self._accepted.popitem(last=False)


def _recipients(mail: Mail) -> list[Address]:
    first: dict[str, Address] = {}
    for recipient in mail.recipients:
        first.setdefault(recipient.addr_spec, recipient)
    return list(first.values())


def _quit(client: smtplib.SMTP) -> None:
    """End the session. The message is accepted or refused by now, so errors are ignored."""
    with suppress(smtplib.SMTPException, OSError):
        if client.sock:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()
    client.close()


def _refusal(server: Server, refused: Refused, *, everyone: bool) -> NotificationError:
    recipients = ", ".join(
        f"{line(address, 80)} ({_reply(server, *reply)})" for address, reply in list(refused.items())[:5]
    )
    permanent = all(code >= 500 for code, _ in refused.values())
    others = "" if everyone else " The other recipients got the mail."
    return NotificationError(f"{_name(server)} refused {recipients}.{others}", permanent=permanent, outage=False)


def _failure(server: Server, error: Exception) -> NotificationError:
    name = _name(server)
    if isinstance(error.__context__, TimeoutError):  # smtplib reports it as a closed connection
        error = error.__context__
    match error:
        case smtplib.SMTPResponseException(smtp_code=code) if not 200 <= code < 600:
            return NotificationError(f"{name} does not speak SMTP. Check the port.", permanent=False)
        case smtplib.SMTPResponseException():
            reply = _reply(server, error.smtp_code, error.smtp_error)
            is_down = error.smtp_code == 421
            return NotificationError(f"{name} replied {reply}.", permanent=error.smtp_code >= 500, outage=is_down)
        case smtplib.SMTPNotSupportedError():
            return NotificationError(f"{name} does not offer STARTTLS.", permanent=True)
        case ssl.SSLCertVerificationError():
            return NotificationError(
                f"{name} has an untrusted certificate: {line(error.verify_message, 200)}.", permanent=False
            )
        case TimeoutError():
            return NotificationError(f"{name} did not respond in time.", permanent=False)
        case smtplib.SMTPException() | OSError():
            return NotificationError(f"{name} closed the connection.", permanent=False)
    return NotificationError("The mail could not be encoded for SMTP.", permanent=True)


def _reply(server: Server, code: int, text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    secrets = [secret for secret in (server.password, server.username) if secret]
    return line(f"{code} {line(redact(shown, secrets), 200)}", 210)


def _name(server: Server) -> str:
    return line(server.host, 100)
