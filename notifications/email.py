"""E-mail over SMTP: a designed HTML part, a text part, one thread an incident."""

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import jinja2

import host_names
import settings
from notifications.mail import Mail
from notifications.notice import Notice, NotificationError
from notifications.plain import line
from notifications.smtp import Server, transmit
from notifications.summary import more
from notifications.wording import Tone, Wording, describe

TIMEOUT_SECONDS = 30.0
#: So much of a summary's list keeps a mail below the 102 kB at which Gmail cuts.
_LIST = 100
_ADDRESS = re.compile(
    r"""(?P<open>(?P<name>[^<>\x00-\x1f\x7f]*)<)?  (?P<username>[^\s@<>,;:"()\[\]\\\x00-\x1f\x7f]{1,64})
        @(?P<domain>[^\s@<>,;:"()\[\]\\\x00-\x1f\x7f]{1,255})  (?(open)>)""",
    re.VERBOSE,
)
#: A host name, as it stands in addresses and message ids.
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
#: Text on its background: dark enough for white letters in either scheme.
_COLOURS = {Tone.BAD: "#c62828", Tone.GOOD: "#2e7d32", Tone.WARNING: "#8a5300", Tone.NEUTRAL: "#1565c0"}


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Mail `notice` to everyone in `to`. Raises `NotificationError`."""
    server = server_of(config, settings.get())
    transmit(server, compose(notice, config, settings.get()), time.monotonic() + TIMEOUT_SECONDS)


def server_of(config: Mapping[str, Any], defaults: settings.Settings) -> Server:
    """The server to use: the provider's own, judged by the guard, or the operator's, which is exempt.

    Never a mixture: a provider's host must not be handed the operator's password, and the operator's host is not
    to be reached on any other port.
    """
    account = str(config.get("username") or ""), str(config.get("password") or "")
    host = str(config.get("smtpHost") or "")
    if host:
        security = str(config.get("smtpSecurity") or "starttls")
        if security not in _PORTS:
            raise NotificationError("smtpSecurity must be none, starttls or tls.", permanent=True)
        port = _port(config.get("smtpPort") or _PORTS[security])
        own = True
    else:
        host, security, own = defaults.smtp_host, defaults.smtp_security, False
        port = defaults.smtp_port or _PORTS[security]
        if not account[0]:
            account = defaults.smtp_username, defaults.smtp_password
    if not host:
        raise NotificationError(
            "No mail server: enter one in this provider, or set SMTP_HOST for the installation.", permanent=True
        )
    return Server(host=host, port=port, security=security, username=account[0], password=account[1], judged=own)


def compose(notice: Notice, config: Mapping[str, Any], defaults: settings.Settings) -> Mail:
    """The mail, ready to send; its id is the same at every retry, so that a repeated mail is recognised as the same."""
    wording = describe(notice)
    sender = _address(config.get("from") or defaults.smtp_from or config.get("username") or "", "sender")
    recipients = tuple(_address(one, "recipient") for one in _list(config.get("to")))
    if not recipients:
        raise NotificationError("No recipient: set to.", permanent=True)
    body = EmailMessage(policy=SMTP_POLICY)
    body.set_content(_render("email.txt", wording))
    body.add_alternative(_render("email.html", wording), subtype="html")
    subject, identifiers = _thread(notice, wording, sender.domain)
    others = {
        "Date": format_datetime(notice.sent_at),
        # For people's filters: in a thread the subject stays the same.
        "X-Supercheck-Event": line(notice.event, 40),
        "X-Supercheck-Delivery": str(notice.delivery_id),
        # Out-of-office replies to an alert help nobody.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if not sender.display_name:
        sender = Address("Supercheck", sender.username, sender.domain)
    return Mail(
        sender=sender,
        recipients=recipients,
        subject=subject,
        identifiers=tuple(identifiers.items()),
        others=tuple(others.items()),
        delivery=str(notice.delivery_id),
        body=body,
    )


def _thread(notice: Notice, wording: Wording, domain: str) -> tuple[str, dict[str, str]]:
    """Subject and ids: all mails of one outage are answers to its first alert, under the same subject.

    Most programs follow the references; Gmail asks for the subject as well, so that it names the outage and not its
    state, which the first line of the text tells. Where the first alert was not mailed, the others still share its id.
    """
    if notice.down_since is None or notice.event in {"test", "summary"}:
        return wording.subject, {"Message-ID": f"<{notice.delivery_id}@{domain}>"}
    began = notice.down_since.astimezone(UTC)
    root = f"<incident.{uuid5(NAMESPACE_URL, f'incident:{notice.monitor.id}:{began.isoformat()}')}@{domain}>"
    subject = f"{line(notice.monitor.name, 120) or 'A monitor'}: outage of {began:%Y-%m-%d %H:%M} UTC"
    if notice.alert_number == 1:
        return subject, {"Message-ID": root}
    ids = {"Message-ID": f"<{notice.delivery_id}@{domain}>", "In-Reply-To": root, "References": root}
    return f"Re: {subject}", ids


def _port(value: Any) -> int:
    if re.fullmatch(r"[0-9]{1,5}", str(value)) and 0 < int(value) < 65_536:
        return int(value)
    raise NotificationError("smtpPort must be a number from 1 to 65535.", permanent=True)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _address(text: Any, role: str) -> Address:
    """`text` ("a@b" or "Name <a@b>") as exactly one address, or a permanent error.

    The standard library's parsers take the first address of several, dropping the rest without a word, and stumble
    over unfinished ones.
    """
    found = _ADDRESS.fullmatch(str(text).strip())
    if not found:
        raise NotificationError(f"The {role}'s e-mail address is wrong.", permanent=True)
    name, username, domain = (found[part] or "" for part in ("name", "username", "domain"))
    try:
        domain = host_names.to_ascii(domain)
    except UnicodeError:
        raise NotificationError(f"The {role}'s e-mail address is wrong.", permanent=True) from None
    if not _DOMAIN.fullmatch(domain):
        raise NotificationError(f"The domain of the {role}'s e-mail address is wrong.", permanent=True)
    return Address(_display(name.strip()), username, domain)


def _display(name: str) -> str:
    """`name` without the quotes and backslashes of a quoted string."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name.strip('"')


def _render(template: str, wording: Wording) -> str:
    changes, left_out = wording.changes[:_LIST], len(wording.changes) - _LIST
    rest = more(left_out) if left_out > 0 else ""
    colour = _COLOURS[wording.tone]
    return _templates().get_template(template).render(wording=wording, colour=colour, changes=changes, rest=rest)


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).with_name("templates"))
    return jinja2.Environment(
        loader=loader,
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
