"""Regular expressions of users over text of targets: RE2, whose time is linear in the text.

A backtracking engine needs hours for `(a|aa)+$` and gigabytes for `a{10000000}`. RE2 has neither problem, and no
look-arounds and no back-references. The syntax is at https://github.com/google/re2/wiki/Syntax.
"""

import re
from functools import lru_cache

import re2  # type: ignore[import-untyped]

#: Bytes that one compiled pattern and its cache of states may take.
_MOST_MEMORY = 1 << 20
#: Instructions of a compiled pattern. The worst search takes text length x instructions: 0.1 s for 64 kB and 5,000.
_MOST_INSTRUCTIONS = 5_000
_KEPT = 64
#: RE2 reads a repetition count of many digits as ordinary text; who types one means a count.
_HUGE_COUNT = re.compile(r"\{(\d{5,},?\d*|\d*,\d{5,})\}")


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    return options


@lru_cache(maxsize=_KEPT)
def _compiled(pattern: str) -> "re2._Regexp | str":
    """`pattern` ready for use, or the sentence that says why it is refused."""
    if _HUGE_COUNT.search(pattern):
        return _TOO_LARGE
    try:
        made = re2.compile(pattern, _options())
    except UnicodeEncodeError:
        return "The pattern holds a character that is not valid text."
    except re2.error as error:
        return _refusal(error.args[0])
    if made.programsize > _MOST_INSTRUCTIONS:
        return _TOO_LARGE
    return made


_TOO_LARGE = "The pattern is too large: shorten it, or lower its repetition counts."


def _refusal(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    if "too large" in text or "invalid repetition size" in text:
        return _TOO_LARGE
    if text.startswith("invalid perl operator") or text.startswith("invalid escape sequence"):
        return "The pattern is not a regular expression of RE2, which has no look-arounds and no back-references."
    return "The pattern is not a regular expression."


def problem(pattern: str) -> str:
    """One sentence that says why `pattern` cannot be used; empty if it can."""
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, str) else ""


def found_in(pattern: str, text: str, *, whole: bool = False) -> bool:
    """Whether `pattern` is found in `text`, or matches all of it if `whole`; an unusable pattern is never found."""
    compiled = _compiled(pattern)
    if isinstance(compiled, str):
        return False
    # JSON can hold lone surrogates, which UTF-8 cannot.
    data = text.encode("utf-8", "replace")
    search = compiled.fullmatch if whole else compiled.search
    return search(data) is not None
