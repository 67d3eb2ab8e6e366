"""Text out of the bytes that targets and jobs send, in whatever charset.

Names of charsets are those of the WHATWG's Encoding Standard, as browsers read them; Python knows more, but not all of those.
"""

import codecs
import re
import unicodedata
from functools import lru_cache

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
#: What browsers pass by when they look for the charset of a page.
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)
#: A page names its charset near its beginning.
_PROLOG = 2048
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_WIDE_PROLOGS = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))
#: Codecs of Python that are smaller than what browsers read under the same name.
_LARGER = {"gbk": "gb18030", "gb2312": "gb18030"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Codecs of Python that are not charsets (`zip`, `hex`, `rot13`, `unicode_escape`, ...) never decode a target's bytes.
# Nor does UTF-7, which no browser reads and which makes characters that no text can hold.
_NOT_CHARSETS = {"utf_7", "idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"}


def contains(text: str, wanted: str) -> bool:
    """Return whether `text` contains `wanted`, its accents written as in `wanted`, composed or decomposed."""
    # Only `wanted` is normalized: it is short, and a hostile `text` could make that take for ages.
    return any(form in text for form in {wanted, *(unicodedata.normalize(form, wanted) for form in ("NFC", "NFD"))})


def decode(body: bytes, content_type: str, *, is_cut: bool = False) -> str:
    """Return `body` as text, never raise.

    A byte order mark decides first, then the charset that the answer declares, then the one that an XML or HTML page
    names itself. Otherwise it is UTF-8, or windows-1252 if it is plainly not UTF-8. `is_cut` says that `body` is only
    the beginning: its last character may be incomplete.
    """
    for mark, charset in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body.decode(charset, "replace")
    declared = _CHARSET.search(content_type)
    kind = content_type.partition(";")[0].lower()
    # JSON and plain text may well talk about pages.
    is_page = not kind.strip() or "html" in kind or "xml" in kind
    codec = (declared and _codec(declared[1])) or (_from_page(body) if is_page else None)
    return body.decode(codec, "replace") if codec else _undeclared(body, is_cut)


def _from_page(body: bytes) -> str | None:
    """Return the codec that the page declares, or None if it declares no known codec."""
    for start, charset in _WIDE_PROLOGS:
        if body.startswith(start):
            return charset
    prolog = body[:_PROLOG]
    found = _XML_CHARSET.match(prolog) or _META_CHARSET.search(_COMMENT.sub(b"", prolog))
    codec = _codec(found[1].decode("ascii")) if found else None
    # A name that can be read byte by byte is not in UTF-16, whatever it says.
    return "utf-8" if codec and codec.startswith(("utf-16", "utf-32")) else codec


def _undeclared(body: bytes, is_cut: bool) -> str:
    """Return `body` as UTF-8, or as windows-1252 if more of its bytes are broken as UTF-8 than are good beyond ASCII."""
    words = codecs.getincrementaldecoder("utf-8")("replace").decode(body, final=not is_cut)
    broken = words.count("\N{REPLACEMENT CHARACTER}")
    if not broken or sum(1 for _ in _BEYOND_ASCII.finditer(words)) >= 2 * broken:
        return words
    return body.decode("cp1252", "replace")


@lru_cache(maxsize=256)
def _codec(name: str) -> str | None:
    """Return Python's codec for the charset `name`, None if there is none."""
    # Loaded by the first name.
    import webencodings

    known = webencodings.lookup(name)
    try:
        info = codecs.lookup(known.codec_info.name if known else name)
    except (LookupError, ValueError):
        # Some names of the standard stand for no charset.
        return None
    # The attribute is Python's own mark of codecs from text to text or bytes to bytes.
    is_text = getattr(info, "_is_text_encoding", True)
    if not is_text or info.name.replace("-", "_") in _NOT_CHARSETS:
        return None
    return _LARGER.get(info.name, info.name)
