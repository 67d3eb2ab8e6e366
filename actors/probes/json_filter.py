"""The JSON path environment: RFC 9535, with its two pattern functions bounded in time."""

from typing import Any

from jsonpath import JSONPathEnvironment
from jsonpath.function_extensions import ExpressionType, FilterFunction

from actors.probes import pattern


class _Pattern(FilterFunction):
    """`search(value, pattern)`, or `match`, where the whole value must fit."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own signature
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, *arguments: Any, **_: Any) -> bool:
        value, wanted = arguments
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        return pattern.found_in(wanted, value, whole=self._whole)


ENVIRONMENT = JSONPathEnvironment(strict=True)
ENVIRONMENT.function_extensions["search"] = _Pattern(whole=False)
ENVIRONMENT.function_extensions["match"] = _Pattern(whole=True)
