"""Text with line ends and control characters, shown and typed as escapes in one line. Pure."""

import re

_SHORT = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", "\t": "\\t"}
_MEANT = {sign[1]: letter for letter, sign in _SHORT.items()}
_ESCAPE = re.compile(r"\\(?:([\\rnt])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.?))", re.DOTALL)


def escaped(text: str) -> str:
    """Return `text` in one line, with escapes for backslashes and characters that are not printable."""
    return "".join(_SHORT.get(letter) or (letter if letter.isprintable() else _by_number(letter)) for letter in text)


def _by_number(letter: str) -> str:
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def plain(text: str) -> str:
    r"""Return `text` with its escapes replaced. Raise `ValueError` with a sentence for people if one is not known."""
    return _ESCAPE.sub(_meaning, text)


def _meaning(match: re.Match[str]) -> str:
    short, *numbers, wrong = match.groups()
    if short:
        return _MEANT[short]
    digits = next(filter(None, numbers), None)
    if digits is None or int(digits, 16) > 0x10FFFF:
        shown = f"\\{wrong or ''}" if digits is None else match.group()
        raise ValueError(f"{shown} is not an escape: write \\\\ for a backslash, or \\r, \\n, \\t, \\x1b, \\u2028.")
    return chr(int(digits, 16))
