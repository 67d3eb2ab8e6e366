"""Secrets on their way in: kept where their mask came back, encrypted, and never mistaken for their mask."""

import re
from collections.abc import Mapping
from typing import Any

from models.secrets import fields

_MASK = re.compile(r"(?:..)?…(?:..)?", re.DOTALL)


def restore(kind: str, config: Mapping[str, Any], old: Mapping[str, str], problems: dict[str, str]) -> dict[str, Any]:
    """`config` with every secret that came back masked as it was.

    A mask that fits no stored secret goes into `problems`: it would be saved as the secret itself.
    """
    kept = fields.keep_masked(kind, config, old)
    _, found = fields.split(kind, kept)
    for path, value in found.items():
        masked_url = kind == "webhook" and path == "url" and "…" in value
        if value != old.get(path) and (masked_url or _MASK.fullmatch(value)):
            problems[f"config.{path}"] = "This is the masked text: enter the secret itself."
    return kept
