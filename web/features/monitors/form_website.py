"""The inputs of a website monitor."""

from typing import Any

from web.features.monitors.form_http_request import ANSWER

FIELDS: dict[str, Any] = ANSWER
