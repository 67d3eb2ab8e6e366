"""Secrets that can be found again wherever they leaked to, in any of the spellings that they may take on the way."""

import base64
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass
class LeakMarkers:
    """Each marker is a distinct text; `found` names those that a text or some bytes hold, however they are spelled."""

    texts: dict[str, str] = field(default_factory=dict)

    def new(self, name: str) -> str:
        """A fresh secret, to be planted as `name`."""
        return self.add(name, f"canary{secrets.token_hex(12)}")

    def add(self, name: str, text: str) -> str:
        """A secret that was made elsewhere."""
        self.texts[name] = text
        return text

    def found(self, where: str | bytes) -> set[str]:
        """The names of those that `where` holds."""
        data = where.encode("utf-8", "surrogateescape") if isinstance(where, str) else where
        return {name for name, text in self.texts.items() if any(one in data for one in _spellings(text))}

    def context(self, name: str, where: str) -> str:
        """The surroundings of the first appearance, for the failure's message."""
        for one in _spellings(self.texts[name]):
            if match := re.search(re.escape(one.decode()), where):
                return where[max(0, match.start() - 200) : match.end() + 80]
        return ""


def _spellings(text: str) -> list[bytes]:
    plain = text.encode()
    # Base64 depends on what stands before; what neighbours share with it is cut off.
    coded = [base64.b64encode(b"x" * offset + plain)[(4 if offset else 0) : -4] for offset in range(3)]
    return [plain, quote(text, safe="").encode(), plain.hex().encode(), plain[::-1], *coded]
