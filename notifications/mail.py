"""Encodes one mail for SMTP.

Header values are untrusted text, such as a monitor's name. The standard library parses a value when it is assigned,
decodes encoded words in it (line breaks included), and folds message ids like text. Therefore this module parses no value:
it writes each header by the rules of its kind, and rejects a message whose head contains any other line.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.charset import QP, Charset
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from notifications.notice import NotificationError
from notifications.plain import line

#: The maximum length of a line (RFC 5322).
MAX_LINE_LENGTH = 998
#: The maximum length of a name or a subject; the rest is cut.
MAX_TEXT_LENGTH = 300
#: ASCII text up to this length is written as it is. Longer text is encoded, because encoded words can be folded anywhere.
_PLAIN_LENGTH = 200
#: A display name that needs neither quotes nor encoding.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: The beginning of an encoded word. Text that contains it is encoded, so that no reader decodes it.
_LIKE_ENCODED = "=?"
_FOLD = "\r\n "
#: The characters of an atom. Non-ASCII characters are only allowed if the server supports SMTPUTF8.
_DOT_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)
_FIELD = re.compile(r"([!-9;-~]+):")
#: The header fields of the MIME body.
_BODY_FIELDS = frozenset({"mime-version", "content-type"})

#: Quoted-printable keeps text in Latin letters readable in the source of a mail.
_UTF_8 = Charset("utf-8")
_UTF_8.header_encoding = QP


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail from `sender` to `recipients`. `identifiers` are headers with message ids; `others` are unstructured.

    `delivery` identifies the mail at every retry.
    """

    sender: Address
    recipients: tuple[Address, ...]
    subject: str
    identifiers: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    delivery: str
    body: EmailMessage

    def as_bytes(self, to: Iterable[Address], *, utf8: bool) -> bytes:
        """Return the message with `to` in its To header. Raise `NotificationError` if it cannot be written safely.

        `utf8` allows non-ASCII addresses, which need a server with SMTPUTF8.
        """
        fields = [
            ("From", mailboxes([self.sender])),
            ("To", mailboxes(list(to))),
            ("Subject", unstructured(self.subject, "Subject")),
            *self.identifiers,
            *((name, unstructured(value, name)) for name, value in self.others),
        ]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        encoded = head.encode("utf-8" if utf8 else "ascii", "strict")
        body = self.body.as_bytes(policy=SMTP.clone(cte_type="7bit"))
        _verify(encoded + body.partition(b"\r\n\r\n")[0], [name for name, _ in fields])
        return encoded + body


def unstructured(text: str, field: str) -> str:
    """Return `text` for an unstructured header, such as Subject."""
    shown = line(text, MAX_TEXT_LENGTH)
    if shown.isascii() and _LIKE_ENCODED not in shown and len(shown) <= _PLAIN_LENGTH:
        return shown
    return _encoded(shown, len(field) + 2)


def mailboxes(addresses: Sequence[Address]) -> str:
    """Return `addresses` for From and To, one per line. Display names are encoded if needed, addresses never."""
    return f",{_FOLD}".join(_mailbox(address) for address in addresses)


def _mailbox(address: Address) -> str:
    local, name = address.username, line(address.display_name, MAX_TEXT_LENGTH)
    if not _DOT_ATOM.fullmatch(local) or _LIKE_ENCODED in local:
        local = _quoted(local)
    if not name:
        return f"{local}@{address.domain}"
    phrase = _phrase(name)
    # An encoded name may take several lines; the address goes on a new one.
    return f"{phrase}{_FOLD if phrase.startswith(_LIKE_ENCODED) else ' '}<{local}@{address.domain}>"


def _phrase(name: str) -> str:
    """Return a display name as atoms, a quoted string, or encoded words."""
    if not name.isascii() or _LIKE_ENCODED in name or len(name) > _PLAIN_LENGTH:
        return _encoded(name, len("From: "))
    if _ATOMS.fullmatch(name):
        return name
    return _quoted(name)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(text: str, before: int) -> str:
    """Return `text` in folded encoded words (RFC 2047). `before` is the length of what precedes it on the first line."""
    header = Header(charset=_UTF_8, maxlinelen=75, continuation_ws=" ", header_name="x" * max(before - 2, 1))
    header.append(text, _UTF_8)
    return header.encode(splitchars="", linesep="\r\n")


def _verify(head: bytes, expected: Sequence[str]) -> None:
    """Raise `NotificationError` unless `head` consists of the fields `expected`, in this order, and those of the body."""
    fields: list[str] = []
    for raw in head.split(b"\r\n"):
        text = raw.decode("utf-8")
        field = _FIELD.match(text)
        broken = "\r" in text or "\n" in text or "\0" in text or len(raw) > MAX_LINE_LENGTH
        if broken or not (field or (fields and text.startswith((" ", "\t")) and text.strip())):
            raise _unsafe()
        if field:
            fields.append(field[1])
    own, rest = fields[: len(expected)], fields[len(expected) :]
    if own != list(expected) or {name.lower() for name in rest} != _BODY_FIELDS or len(rest) != len(_BODY_FIELDS):
        raise _unsafe()


def _unsafe() -> NotificationError:
    return NotificationError("The mail was not sent: its headers could not be encoded safely.", permanent=True)
