"""Users' regular expressions on targets' texts: RE2, whose time is linear in the length of the text.

A backtracking engine needs hours for `(a|aa)+$` and gigabytes for `a{10000000}`. RE2 has neither problem, and no
look-arounds and no back-references. The syntax is at https://github.com/google/re2/wiki/Syntax.
"""

import re
from functools import lru_cache

import re2  # type: ignore[import-untyped]

#: Bytes that one compiled pattern and its cache of states may take.
_MAX_MEMORY = 1 << 20
#: Instructions of a compiled pattern. The worst search takes text length x instructions: 0.1 s for 64 kB and 5,000.
_MAX_INSTRUCTIONS = 5_000
_KEPT = 64
#: RE2 reads a repetition count of many digits as ordinary text; the user means a count.
_HUGE_COUNT = re.compile(r"\{(\d{5,},?\d*|\d*,\d{5,})\}")


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    return options


@lru_cache(maxsize=_KEPT)
def _compiled(pattern: str) -> "re2._Regexp | str":
    """Return `pattern` compiled, or a sentence that says why it is rejected."""
    if _HUGE_COUNT.search(pattern):
        return _TOO_LARGE
    try:
        compiled = re2.compile(pattern, _options())
    except UnicodeEncodeError:
        return "The pattern holds a character that is not valid text."
    except re2.error as error:
        return _refusal(error.args[0])
    if compiled.programsize > _MAX_INSTRUCTIONS:
        return _TOO_LARGE
    return compiled


_TOO_LARGE = "The pattern is too large: shorten it, or lower its repetition counts."


def _refusal(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    if "too large" in text or "invalid repetition size" in text:
        return _TOO_LARGE
    if text.startswith("invalid perl operator") or text.startswith("invalid escape sequence"):
        return "The pattern is not a regular expression of RE2, which has no look-arounds and no back-references."
    return "The pattern is not a regular expression."


def problem(pattern: str) -> str:
    """Return a sentence that says why `pattern` cannot be used, or ""."""
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, str) else ""


def found_in(pattern: str, text: str, *, whole: bool = False) -> bool:
    """Return whether `pattern` matches in `text`, or all of it if `whole`. An invalid pattern never matches."""
    compiled = _compiled(pattern)
    if isinstance(compiled, str):
        return False
    # JSON can hold lone surrogates, which UTF-8 cannot.
    data = text.encode("utf-8", "replace")
    search = compiled.fullmatch if whole else compiled.search
    return search(data) is not None
