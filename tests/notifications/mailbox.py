"""A local SMTP server: keeps what it is handed, refuses what the test chooses."""

from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from aiosmtpd import smtp
from aiosmtpd.smtp import AuthResult, Envelope, Session


@dataclass(slots=True)
class Delivered:
    envelope_from: str
    envelope_to: list[str]
    mail: EmailMessage
    tls: bool
    login: bytes | None
    wire: bytes


@dataclass(slots=True)
class Mailbox:
    """`refuse`: address -> reply. `data_reply`: the answer to the message itself."""

    refuse: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 OK"
    delivered: list[Delivered] = field(default_factory=list)
    hellos: list[str] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: smtp.SMTP, session: Session, envelope: Envelope, host: str, answers: list[str]
    ) -> Any:
        session.host_name = host
        self.hellos.append(host)
        return answers

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: smtp.SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: smtp.SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.data_reply.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, EmailMessage, policy=SMTP)
            login = getattr(session.auth_data, "password", None)
            self.delivered.append(
                Delivered(envelope.mail_from or "", envelope.rcpt_tos, mail, session.ssl is not None, login, content)
            )
        return self.data_reply


def authenticate(server: smtp.SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Let `alerts` in with `s3cret-pass`."""
    right = (data.login, data.password) == (b"alerts", b"s3cret-pass")
    return AuthResult(success=right, handled=False, auth_data=data)
