"""Detects the content type of a request body."""

import json
import re

_FORM = re.compile(r"[^\s=&{}<>\[\]]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")


def detect(body: str) -> str:
    """Return the content type of a body whose user set none: JSON, XML, form or plain text."""
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
