"""What kind of text a request body is, and what charset an answer is in."""

import codecs
import json
import re
from functools import lru_cache

_FORM = re.compile(r"[^\s=&{}<>\[\]]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Codecs of Python that are not charsets (`zip`, `hex`, `rot13`, `unicode_escape`, ...) never decode a target's bytes.
_NOT_CHARSETS = {"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"}


def detect(body: str) -> str:
    """The content type for a request body whose user set none: JSON, XML, form or plain text."""
    text = body.strip()
    if text[:1] in {"{", "[", '"'}:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return "application/json"
    if text.startswith("<"):
        return "application/xml"
    if _FORM.fullmatch(text):
        return "application/x-www-form-urlencoded"
    return "text/plain; charset=utf-8"


def decode(body: bytes, content_type: str) -> str:
    """`body` as text: by the answer's charset, a byte order mark, an HTML page's own word, else UTF-8."""
    for mark, charset in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body.decode(charset, "replace")
    declared = _CHARSET.search(content_type)
    name = declared[1] if declared else _from_page(body)
    return body.decode(_codec(name), "replace")


def _from_page(body: bytes) -> str:
    found = _META_CHARSET.search(body[:2048])
    return found[1].decode("ascii") if found else "utf-8"


@lru_cache(maxsize=256)
def _codec(name: str) -> str:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return "utf-8"
    # The attribute is Python's own mark of codecs from text to text or bytes to bytes.
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name.replace("-", "_") not in _NOT_CHARSETS else "utf-8"
