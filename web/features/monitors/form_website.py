"""The inputs of a website monitor."""

from typing import Any

from web.features.monitors.form_http_request import ANSWER

TARGET = {"label": "URL", "placeholder": "https://example.com", "type": "url", "hint": ""}
FIELDS: dict[str, Any] = ANSWER
