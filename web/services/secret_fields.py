"""Secrets in requests: a mask that is sent back keeps the stored secret, and is never stored as the secret."""

import re
from collections.abc import Mapping
from typing import Any

from models.secrets import fields

_MASK = re.compile(r"(?:..)?…(?:..)?", re.DOTALL)


def restore(kind: str, config: Mapping[str, Any], old: Mapping[str, str], problems: dict[str, str]) -> dict[str, Any]:
    """Return `config` with the stored secret in place of each mask.

    A mask without a stored secret becomes a problem: it would be saved as the secret itself.
    """
    kept = fields.keep_masked(kind, config, old)
    _, found = fields.split(kind, kept)
    for path, value in found.items():
        masked_url = kind == "webhook" and path == "url" and "…" in value
        if value != old.get(path) and (masked_url or _MASK.fullmatch(value)):
            problems[f"config.{path}"] = "This is the masked value. Enter the secret itself."
    return kept
