"""The JSON path environment: RFC 9535, bounded in time, with patterns of RE2.

A path such as `$..*..*..*` visits what it has visited again and again: 81 bytes of nested lists keep it busy for minutes.
"""

from collections.abc import Iterable
from typing import Any

from jsonpath import JSONPathEnvironment, JSONPathMatch
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.parse import Parser
from jsonpath.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.stream import TokenStream

from actors.probes import pattern
from actors.probes.time_limit import look_at_the_clock


class _Child(JSONPathChildSegment):
    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterable[JSONPathMatch]:
        for node in nodes:
            look_at_the_clock()
            yield from super().resolve((node,))


class _Descent(JSONPathRecursiveDescentSegment):
    def _visit(self, node: JSONPathMatch, depth: int = 1) -> Iterable[JSONPathMatch]:
        look_at_the_clock()
        return super()._visit(node, depth)


_BOUNDED = {JSONPathChildSegment: _Child, JSONPathRecursiveDescentSegment: _Descent}


class _Parser(Parser):
    """Every query is made of segments that look at the clock, those inside filters as well."""

    def parse_query(self, stream: TokenStream) -> Iterable[JSONPathSegment]:
        for one in super().parse_query(stream):
            yield _BOUNDED[type(one)](env=one.env, token=one.token, selectors=one.selectors)


class _Environment(JSONPathEnvironment):
    parser_class = _Parser

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Compare two values in a filter. A filter such as `?$ == $` has no query that looks at the clock."""
        look_at_the_clock()
        return super().compare(left, operator, right)


class _Pattern(FilterFunction):
    """`search(value, pattern)`, or `match`, where the whole value must fit."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own signature
    return_type = ExpressionType.LOGICAL

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, *arguments: Any, **_: Any) -> bool:
        look_at_the_clock()
        value, wanted = arguments
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        return pattern.found_in(wanted, value, whole=self._whole)


ENVIRONMENT = _Environment(strict=True)
ENVIRONMENT.function_extensions["search"] = _Pattern(whole=False)
ENVIRONMENT.function_extensions["match"] = _Pattern(whole=True)
