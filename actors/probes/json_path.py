"""JSON expectations: an RFC 9535 path, and the value that its first node is compared with."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from actors.probes.invalid_config import InvalidConfig
from actors.probes.time_limit import TooSlow, within
from actors.probes.wording import plain

if TYPE_CHECKING:
    from jsonpath import CompoundJSONPath, JSONPath

_NO_NODE = object()
_MAX_SHOWN = 80
#: Processor time of an evaluation in this process, during which other checks wait.
INLINE_SECONDS = 0.1
#: A compiled path takes about 1 kB a character, and many are kept.
_MAX_PATH = 1_000
# `jsonPathExpected` is absent or null: any node matches.
EXISTS: Any = None


@lru_cache(maxsize=256)
def compiled(path: str) -> "JSONPath | CompoundJSONPath":
    """Return `path` compiled. Raise `InvalidConfig`."""
    # Imported at the first path, to save memory in workers that check none.
    from jsonpath import JSONPathError

    from actors.probes.json_filter import ENVIRONMENT

    if len(path) > _MAX_PATH:
        raise InvalidConfig(f"The JSON path has more than {_MAX_PATH} characters.")
    try:
        return ENVIRONMENT.compile(path)
    except (JSONPathError, ArithmeticError, RecursionError, ValueError):
        raise InvalidConfig("The JSON path is not valid (RFC 9535). Examples: $.status, $.items[0].id.") from None


def check(path: str, expected: Any) -> None:
    """Raise `InvalidConfig` unless `path` and `expected` can be evaluated."""
    compiled(path)
    operator, value = _operator(expected)
    if operator == "matches":
        from actors.probes import pattern

        refused = pattern.problem(value) if isinstance(value, str) else "The pattern must be a string."
        if refused:
            raise InvalidConfig(f"The pattern for the value of jsonPath is not valid. {refused}")


def mismatch(path: str, expected: Any, text: str, seconds: float = INLINE_SECONDS) -> str:
    """Return why `text` is not as expected, as one sentence, or "".

    The evaluation may take `seconds` of processor time.
    """
    from jsonpath import JSONPathError

    operator, value = _operator(expected)
    try:
        document = json.loads(text)
        with within(seconds):
            node = _first_node(path, document)
        if _OPERATORS[operator](node, value):
            return ""
    except TooSlow:
        return f"Evaluation of the JSON path {plain(path, 80)} took longer than {seconds:g} seconds."
    except JSONPathError:
        return f"The JSON path {plain(path, 80)} could not be evaluated."
    except RecursionError:
        return "The response is nested too deeply."
    except ValueError:
        return "The response is not JSON."
    found = "nothing" if node is _NO_NODE else _shown(node)
    wanted = "anything" if operator == "exists" else f"{_WORDS[operator]} {_shown(value)}"
    if operator == "exists" and value is False:
        wanted = "nothing"
    return f"The JSON path {plain(path, 80)} returned {found}, expected {wanted}."


def _first_node(path: str, document: Any) -> Any:
    if isinstance(document, dict | list):
        found = compiled(path).match(document)
        return found.obj if found else _NO_NODE
    # The library accepts only objects and arrays. The root of any other document is the document.
    return document if path == "$" else _NO_NODE


def _operator(expected: Any) -> tuple[str, Any]:
    if expected is EXISTS:
        return "exists", True
    if isinstance(expected, dict) and expected.get("op") in _OPERATORS and expected.keys() <= {"op", "value"}:
        return expected["op"], expected.get("value", True if expected["op"] == "exists" else None)
    return "eq", expected


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: true is not 1, but 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a comparison that applies `test` to two numbers or two strings, and is False for anything else."""

    def compare(node: Any, value: Any) -> bool:
        for kinds in ((int, float), (str,)):
            if isinstance(node, kinds) and isinstance(value, kinds):
                return not isinstance(node, bool) and not isinstance(value, bool) and test(node, value)
        return False

    return compare


def _contains(node: Any, value: Any) -> bool:
    if isinstance(node, str):
        return isinstance(value, str) and value in node
    if isinstance(node, list):
        return any(_same(item, value) for item in node)
    return isinstance(node, dict) and isinstance(value, str) and value in node


def _matches(node: Any, value: Any) -> bool:
    from actors.probes.pattern import found_in

    return isinstance(node, str) and found_in(str(value), node)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda node, value: node is not _NO_NODE and _same(node, value),
    "ne": lambda node, value: node is not _NO_NODE and not _same(node, value),
    "gt": _ordered(lambda node, value: node > value),
    "gte": _ordered(lambda node, value: node >= value),
    "lt": _ordered(lambda node, value: node < value),
    "lte": _ordered(lambda node, value: node <= value),
    "contains": _contains,
    "matches": _matches,
    "exists": lambda node, value: (node is not _NO_NODE) is (value is not False),
}


_WORDS = {
    "eq": "exactly",
    "ne": "anything but",
    "gt": "more than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
    "contains": "something that contains",
    "matches": "something that matches",
}


def _shown(value: Any) -> str:
    return plain(json.dumps(value, ensure_ascii=False), _MAX_SHOWN)
