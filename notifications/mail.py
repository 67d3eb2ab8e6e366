"""One mail as it goes over the wire.

Header values are foreign text: a monitor's name, a provider's display name. The standard library parses such a value
when it is assigned, decodes the encoded words that it finds there (line breaks included) and folds identifiers as if
they were prose. So no value is parsed here: each header is written by the rule of its kind, and a message whose head
holds any other line is not sent.
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

#: RFC 5322: no line of a message is longer.
LONGEST_LINE = 998
#: Characters of a name or a subject that are kept.
LONGEST_TEXT = 300
#: ASCII text up to this length stands on one line as it is; everything else is encoded, which can be folded anywhere.
_PLAIN_LENGTH = 200
#: A display name that needs neither quotes nor encoding.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: What a reader may take for an encoded word, or for the beginning of one.
_LIKE_ENCODED = "=?"
_FOLD = "\r\n "
#: The characters of an atom; those beyond ASCII stand in a header only where the server takes UTF-8.
_DOT_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)
_FIELD = re.compile(r"([!-9;-~]+):")
#: What the MIME body brings along.
_BODY_FIELDS = frozenset({"mime-version", "content-type"})

#: Whatever each is shorter as: text in Latin letters stays readable in its source.
_UTF_8 = Charset("utf-8")
_UTF_8.header_encoding = QP


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail from `sender` to `recipients`. `identifiers` are headers that hold message ids; `others` have no structure.

    `delivery` names the mail at every retry.
    """

    sender: Address
    recipients: tuple[Address, ...]
    subject: str
    identifiers: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    delivery: str
    body: EmailMessage

    def as_bytes(self, to: Iterable[Address], *, utf8: bool) -> bytes:
        """The message with `to` in its To. Raises `NotificationError` if it cannot be written safely.

        `utf8` allows addresses beyond ASCII, as a server with SMTPUTF8 does.
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
    """`text` for a header without structure, such as Subject."""
    shown = line(text, LONGEST_TEXT)
    if shown.isascii() and _LIKE_ENCODED not in shown and len(shown) <= _PLAIN_LENGTH:
        return shown
    return _encoded(shown, len(field) + 2)


def mailboxes(addresses: Sequence[Address]) -> str:
    """`addresses` for From and To, each on a line of its own. An address itself is never encoded."""
    return f",{_FOLD}".join(_mailbox(one) for one in addresses)


def _mailbox(address: Address) -> str:
    local, name = address.username, line(address.display_name, LONGEST_TEXT)
    if not _DOT_ATOM.fullmatch(local) or _LIKE_ENCODED in local:
        local = _quoted(local)
    if not name:
        return f"{local}@{address.domain}"
    phrase = _phrase(name)
    # An encoded name may be several lines long; its last one is full enough.
    return f"{phrase}{_FOLD if phrase.startswith(_LIKE_ENCODED) else ' '}<{local}@{address.domain}>"


def _phrase(name: str) -> str:
    """A display name as atoms, as a quoted string, or as encoded words."""
    if not name.isascii() or _LIKE_ENCODED in name or len(name) > _PLAIN_LENGTH:
        return _encoded(name, len("From: "))
    if _ATOMS.fullmatch(name):
        return name
    return _quoted(name)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(text: str, before: int) -> str:
    """`text` in encoded words (RFC 2047) of whole characters, folded; the first line has `before` characters already."""
    header = Header(charset=_UTF_8, maxlinelen=75, continuation_ws=" ", header_name="x" * max(before - 2, 1))
    header.append(text, _UTF_8)
    return header.encode(splitchars="", linesep="\r\n")


def _verify(head: bytes, ours: Sequence[str]) -> None:
    """Raise `NotificationError` unless `head` consists of the fields `ours`, in their order, and of those of the body."""
    found: list[str] = []
    for one in head.split(b"\r\n"):
        text = one.decode("utf-8")
        field = _FIELD.match(text)
        broken = "\r" in text or "\n" in text or "\0" in text or len(one) > LONGEST_LINE
        if broken or not (field or (found and text.startswith((" ", "\t")) and text.strip())):
            raise _unsafe()
        if field:
            found.append(field[1])
    own, rest = found[: len(ours)], found[len(ours) :]
    if own != list(ours) or {name.lower() for name in rest} != _BODY_FIELDS or len(rest) != len(_BODY_FIELDS):
        raise _unsafe()


def _unsafe() -> NotificationError:
    return NotificationError(
        "The mail was not sent: its headers would not be those that Supercheck writes.", permanent=True
    )
