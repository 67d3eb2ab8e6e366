"""E-mail over SMTP: an HTML part and a text part; the mails of one incident are one thread."""

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
#: Lines of a summary's list. Gmail cuts a mail at 102 kB.
_MAX_LINES = 100
_ADDRESS = re.compile(
    r"""(?P<open>(?P<name>[^<>\x00-\x1f\x7f]*)<)?  (?P<username>[^\s@<>,;:"()\[\]\\\x00-\x1f\x7f]{1,64})
        @(?P<domain>[^\s@<>,;:"()\[\]\\\x00-\x1f\x7f]{1,255})  (?(open)>)""",
    re.VERBOSE,
)
#: A host name in addresses and message ids.
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
#: Background colours with enough contrast for white text in light and dark mode.
_COLOURS = {Tone.BAD: "#c62828", Tone.GOOD: "#2e7d32", Tone.WARNING: "#8a5300", Tone.NEUTRAL: "#1565c0"}


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Mail `notice` to all recipients in `to`. Raise `NotificationError`."""
    server = server_of(config, settings.get())
    transmit(server, compose(notice, config, settings.get()), time.monotonic() + TIMEOUT_SECONDS)


def server_of(config: Mapping[str, Any], defaults: settings.Settings) -> Server:
    """Return the server: the provider's own, which the guard checks, or the operator's, which is exempt.

    The two are never mixed: a provider's host must not get the operator's password, and the operator's host must not be
    called on another port.
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
            "No SMTP server: fill in “SMTP server” or ask the operator to set SMTP_HOST.", permanent=True
        )
    return Server(host=host, port=port, security=security, username=account[0], password=account[1], guarded=own)


def compose(notice: Notice, config: Mapping[str, Any], defaults: settings.Settings) -> Mail:
    """Return the mail. Its id is the same at every retry, so that mail servers can recognise a repeated mail."""
    wording = describe(notice)
    sender = _address(config.get("from") or defaults.smtp_from or config.get("username") or "", "sender")
    recipients = tuple(_address(recipient, "recipient") for recipient in _list(config.get("to")))
    if not recipients:
        raise NotificationError("No recipient: fill in “Recipients”.", permanent=True)
    body = EmailMessage(policy=SMTP_POLICY)
    body.set_content(_render("email.txt", wording))
    body.add_alternative(_render("email.html", wording), subtype="html")
    subject, identifiers = _thread(notice, wording, sender.domain)
    others = {
        "Date": format_datetime(notice.sent_at),
        # For mail filters: the subject is the same within a thread.
        "X-Supercheck-Event": line(notice.event, 40),
        "X-Supercheck-Delivery": str(notice.delivery_id),
        # Suppresses out-of-office replies.
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
    """Return subject and ids. All mails of one outage reply to its first alert, with the same subject.

    Most mail programs build threads from references; Gmail also compares the subject. So the subject names the outage, and
    the first line of the text states the current status. If the first alert was not mailed, the others still refer to its id.
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
    """Return `text` ("a@b" or "Name <a@b>") as one address. Raise a permanent `NotificationError` if it is not exactly one.

    The standard library's parsers silently take the first of several addresses and fail on incomplete ones.
    """
    found = _ADDRESS.fullmatch(str(text).strip())
    if not found:
        raise NotificationError(f"The {role}'s e-mail address is invalid.", permanent=True)
    name, username, domain = (found[part] or "" for part in ("name", "username", "domain"))
    try:
        domain = host_names.to_ascii(domain)
    except UnicodeError:
        raise NotificationError(f"The {role}'s e-mail address is invalid.", permanent=True) from None
    if not _DOMAIN.fullmatch(domain):
        raise NotificationError(f"The domain of the {role}'s e-mail address is invalid.", permanent=True)
    return Address(_display(name.strip()), username, domain)


def _display(name: str) -> str:
    """Return `name` without the quotes and backslashes of a quoted string."""
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name.strip('"')


def _render(template: str, wording: Wording) -> str:
    changes, left_out = wording.changes[:_MAX_LINES], len(wording.changes) - _MAX_LINES
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
