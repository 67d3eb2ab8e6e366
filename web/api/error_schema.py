"""The error object, as every failing answer has it."""

from typing import Literal

from web.api.schema import Out


class ErrorDetail(Out):
    """`fields` maps dotted paths of the request to what is wrong there."""

    code: str
    message: str
    severity: Literal["low", "medium", "high", "critical"]
    correlation_id: str
    guidance: str
    fields: dict[str, str]


class ErrorOut(Out):
    error: ErrorDetail
