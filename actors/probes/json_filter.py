"""The JSON path environment: RFC 9535 with a time limit, and with RE2 patterns.

A path such as `$..*..*..*` visits the same nodes many times: 81 bytes of nested lists take minutes.
"""

from collections.abc import Iterable
from typing import Any

from jsonpath import JSONPathEnvironment, JSONPathMatch
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.parse import Parser
from jsonpath.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.stream import TokenStream

from actors.probes import pattern
from actors.probes.time_limit import check_time


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        for node in nodes:
            check_time()
            yield from super().resolve((node,))


class _Descent(JSONPathRecursiveDescentSegment):
    def _visit(self, node: JSONPathMatch, depth: int = 1) -> Iterable[JSONPathMatch]:
        check_time()
        return super()._visit(node, depth)


_BOUNDED = {JSONPathChildSegment: _Child, JSONPathRecursiveDescentSegment: _Descent}


class _Parser(Parser):
    """Builds queries, including those in filters, from segments that check the time."""

    def parse_query(self, stream: TokenStream) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream):
            yield _BOUNDED[type(segment)](env=segment.env, token=segment.token, selectors=segment.selectors)


class _Environment(JSONPathEnvironment):
    parser_class = _Parser

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Compare two values in a filter. A filter such as `?$ == $` contains no query that checks the time."""
        check_time()
        return super().compare(left, operator, right)


class _Pattern(FilterFunction):
    """`search(value, pattern)`, or `match`, where the whole value must fit."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own signature
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, *arguments: Any, **_: Any) -> bool:
        check_time()
        value, wanted = arguments
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        return pattern.found_in(wanted, value, whole=self._whole)


ENVIRONMENT = _Environment(strict=True)
ENVIRONMENT.function_extensions["search"] = _Pattern(whole=False)
ENVIRONMENT.function_extensions["match"] = _Pattern(whole=True)
