"""A strict reader of mails: RFC 5322, 2047 and 6532 as they are written, without any of a mail program's leniency."""

import base64
import binascii
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime

LONGEST_LINE = 998
LONGEST_FOLDED = 78
#: Every header of a mail of Supercheck; each stands there once.
REQUIRED = {
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Date",
    "X-Supercheck-Event",
    "X-Supercheck-Delivery",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
}
OPTIONAL = {"In-Reply-To", "References"}

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]"
_DOT_ATOM = rf"{_ATEXT}+(?:\.{_ATEXT}+)*"
_QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"'
_HOST = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_SPEC = rf"(?:{_DOT_ATOM}|{_QUOTED})@{_HOST}"
_WORD = rf"(?:{_ATEXT}+|{_QUOTED})"
_MAILBOX = re.compile(rf"(?:(?P<phrase>{_WORD}(?: {_WORD})*) <(?P<angle>{_SPEC})>|(?P<bare>{_SPEC}))")
_MESSAGE_ID = re.compile(rf"<[A-Za-z0-9.-]+@{_HOST}>")
_ENCODED = re.compile(r"=\?utf-8\?([bq])\?([!->@-~]*)\?=", re.IGNORECASE)
#: RFC 2047, section 5, rule 3: what may stand in an encoded word of a phrase.
_Q_IN_PHRASE = re.compile(r"(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})*")


class Malformed(AssertionError):
    """The mail breaks a rule."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Headers, unfolded and not decoded, and the body as the standard library reads it."""

    headers: dict[str, str]
    body: EmailMessage

    def text(self, name: str) -> str:
        """A header without structure, decoded."""
        return decoded(self.headers[name])

    def mailboxes(self, name: str) -> list[tuple[str, str]]:
        """Display name and address of each."""
        found, rest = [], self.headers[name]
        while rest:
            match = _MAILBOX.match(rest)
            _require(match, f"{name} is no list of mailboxes at {rest!r}")
            assert match is not None
            phrase = match["phrase"] or ""
            found.append((_phrase(phrase), match["angle"] or match["bare"]))
            rest = rest[match.end() :]
            _require(not rest or rest.startswith(", "), f"{name} goes on with {rest!r}")
            rest = rest[2:]
        return found


def parse(wire: bytes) -> Parsed:
    """The mail, every header of which has been checked. Raise `Malformed`."""
    head, found, _ = wire.partition(b"\r\n\r\n")
    _require(found, "no end of the head")
    _require(b"\0" not in wire, "a NUL")
    _require(not re.search(rb"(?<!\r)\n|\r(?!\n)", wire), "a line end that is none")
    for physical in wire.split(b"\r\n"):
        _require(len(physical) <= LONGEST_LINE, "a line is too long")
    headers: dict[str, str] = {}
    for field in re.split(r"\r\n(?![ \t])", head.decode("utf-8")):
        match = re.fullmatch(r"([!-9;-~]+): ?(.*)", field, re.DOTALL)
        _require(match, f"no header: {field!r}")
        assert match is not None
        name, folded = match.groups()
        _require(name not in headers, f"{name} stands there twice")
        for continuation in folded.split("\r\n")[1:]:
            _require(continuation.strip(), f"{name} has an empty line in it")
        headers[name] = folded.replace("\r\n", "")
    _require(headers.keys() >= REQUIRED, f"missing: {REQUIRED - headers.keys()}")
    _require(headers.keys() <= REQUIRED | OPTIONAL, f"not ours: {headers.keys() - REQUIRED - OPTIONAL}")
    _check_structured(headers)
    body = message_from_bytes(wire, EmailMessage, policy=SMTP)
    for part in body.walk():
        _require(not part.defects, f"defects: {part.defects}")
    parsed = Parsed(headers, body)
    _require(len(parsed.mailboxes("From")) == 1, "not one sender")
    _require(parsed.mailboxes("To"), "no recipient")
    parsed.text("Subject")
    return parsed


def decoded(value: str) -> str:
    """A header without structure, its encoded words decoded; white space between two of them is none."""
    words = value.split(" ")
    text, before = "", ""
    for number, word in enumerate(words):
        coded = _decode(word, phrase=False)
        joined = coded is not None and before == "coded"
        text += ("" if joined or number == 0 else " ") + (word if coded is None else coded)
        before = "plain" if coded is None else "coded"
    return text


def _phrase(phrase: str) -> str:
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    words = phrase.split(" ")
    coded = [_decode(word, phrase=True) for word in words]
    if None in coded:
        _require(not any(one is not None for one in coded), "a phrase that is encoded in part")
        return phrase
    return "".join(one for one in coded if one is not None)


def _decode(word: str, *, phrase: bool) -> str | None:
    """An encoded word of whole characters; None if it is a plain one. Raise `Malformed` if it is neither."""
    match = _ENCODED.fullmatch(word)
    if match is None:
        _require("=?" not in word, f"half an encoded word: {word!r}")
        return None
    _require(len(word) <= 75, "an encoded word is too long")
    kind, text = match[1].lower(), match[2]
    try:
        if kind == "b":
            return base64.b64decode(text, validate=True).decode("utf-8")
        _require(not phrase or _Q_IN_PHRASE.fullmatch(text), f"not for a phrase: {text!r}")
        return re.sub(
            rb"=([0-9A-F]{2})", lambda code: bytes([int(code[1], 16)]), text.replace("_", " ").encode()
        ).decode("utf-8")
    except (UnicodeDecodeError, binascii.Error) as error:
        raise Malformed(f"an encoded word does not decode: {word!r}") from error


def _check_structured(headers: dict[str, str]) -> None:
    for name in ("Message-ID", "In-Reply-To", "References"):
        if name in headers:
            _require(_MESSAGE_ID.fullmatch(headers[name]), f"{name} is no message id: {headers[name]!r}")
    for name in headers.keys() - {"From", "To", "Subject"}:
        _require("=?" not in headers[name], f"{name} has an encoded word")
        _require(headers[name].isascii(), f"{name} is not ASCII")
    parsedate_to_datetime(headers["Date"])


def _require(what: object, otherwise: str) -> None:
    if not what:
        raise Malformed(otherwise)
