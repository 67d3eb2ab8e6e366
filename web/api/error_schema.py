"""The error object of every error response."""

from typing import Literal

from web.api.schema import Out


class ErrorDetail(Out):
    """`fields` maps the dotted path of each wrong field to a message."""

    code: str
    message: str
    severity: Literal["low", "medium", "high", "critical"]
    correlation_id: str
    guidance: str
    fields: dict[str, str]


class ErrorOut(Out):
    error: ErrorDetail
