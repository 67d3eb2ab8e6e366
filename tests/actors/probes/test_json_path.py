import time
from typing import Any

import pytest

from actors.probes import json_path
from actors.probes.invalid_config import InvalidConfig

DOCUMENT = (
    '{"text": "version 12", "number": 5, "yes": true, "nothing": null, "list": [1, "a", {"b": 2}], "map": {"k": 1.0}}'
)


@pytest.mark.parametrize(
    ("path", "expected", "fits"),
    [
        ("$.number", None, True),
        ("$.absent", None, False),
        ("$.number", 5, True),
        ("$.number", 5.0, True),
        ("$.number", "5", False),
        ("$.yes", True, True),
        ("$.yes", 1, False),
        ("$.map", {"k": 1}, True),
        ("$.map.k", True, False),
        ("$.list", [1, "a", {"b": 2}], True),
        ("$.list[*]", 1, True),
        ("$.list[*]", "a", False),
        ("$.nothing", {"op": "eq", "value": None}, True),
        ("$.nothing", None, True),
        ("$.absent", {"op": "eq", "value": None}, False),
        ("$.absent", {"op": "ne", "value": 1}, False),
        ("$.number", {"op": "ne", "value": 4}, True),
        ("$.number", {"op": "gt", "value": 5}, False),
        ("$.number", {"op": "gte", "value": 5}, True),
        ("$.number", {"op": "lt", "value": 5.5}, True),
        ("$.number", {"op": "lte", "value": 4}, False),
        ("$.yes", {"op": "gte", "value": 0}, False),
        ("$.text", {"op": "gt", "value": "version"}, True),
        ("$.text", {"op": "gt", "value": 1}, False),
        ("$.text", {"op": "contains", "value": "12"}, True),
        ("$.list", {"op": "contains", "value": {"b": 2}}, True),
        ("$.list", {"op": "contains", "value": True}, False),
        ("$.map", {"op": "contains", "value": "k"}, True),
        ("$.number", {"op": "contains", "value": "5"}, False),
        ("$.text", {"op": "matches", "value": r"^version \d+$"}, True),
        ("$.number", {"op": "matches", "value": "5"}, False),
        ("$.absent", {"op": "exists"}, False),
        ("$.absent", {"op": "exists", "value": False}, True),
        ("$.number", {"op": "exists", "value": False}, False),
        ("$.list[?@.b == 2].b", 2, True),
        ("$.list[?search(@, '^a')]", "a", True),
        ("$.list[?match(@, 'a.')]", None, False),
        ("$.map", {"op": "unknown", "value": 1}, False),
    ],
)
def test_the_first_node_is_compared(path: str, expected: Any, fits: bool) -> None:
    json_path.check(path, expected)
    assert (json_path.mismatch(path, expected, DOCUMENT) == "") is fits


def test_the_root_of_a_document_that_is_no_container_can_be_compared() -> None:
    assert json_path.mismatch("$", "up", '"up"') == ""
    assert json_path.mismatch("$.a", None, '"up"')


@pytest.mark.parametrize("text", ["", "<html>", "[" * 100_000, "9" * 5000, '{"a": 1} x'])
def test_an_answer_that_is_not_usable_json_is_a_mismatch(text: str) -> None:
    assert json_path.mismatch("$.a", None, text)


def test_a_hostile_pattern_takes_no_time() -> None:
    text = '["' + "a" * 30_000 + 'b"]'
    began = time.process_time()
    assert "matches" in json_path.mismatch("$[0]", {"op": "matches", "value": "(a|aa)+$"}, text)
    assert "nothing" in json_path.mismatch("$[?search(@, '(a|aa)+$')]", None, text)
    assert "nothing" in json_path.mismatch("$[?search(@, 'a{10000000}')]", None, text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("$..*..*..*..*..x", "[" * 40 + "1" + "]" * 40),
        ("$..*..*..*..*..*..*..*..*..x", "[" * 40 + "]" * 40),
        ("$[?@..*..*..*..x]", "[" * 60 + "1" + "]" * 60),
        ("$..*..*..*[?@ == 2]", "[" * 60 + "[" + "1," * 5000 + "1]" + "]" * 60),
    ],
)
def test_a_path_that_would_keep_the_worker_busy_is_given_up(path: str, text: str) -> None:
    json_path.check(path, None)
    began = time.process_time()
    assert "took longer" in json_path.mismatch(path, None, text)
    # Without the bound: many seconds, or years.
    assert time.process_time() - began < 2


def test_a_path_that_was_given_up_says_so() -> None:
    sentence = json_path.mismatch("$..*..*..*..*..x", None, "[" * 40 + "1" + "]" * 40)
    assert sentence == "Evaluation of the JSON path $..*..*..*..*..x took longer than 0.1 seconds."


def test_the_value_that_was_found_is_shown_short_and_on_one_line() -> None:
    sentence = json_path.mismatch("$.a", 1, '{"a": "' + "x\\n\\u202e" * 500 + '"}')
    assert len(sentence) < 200
    assert sentence.isprintable()


@pytest.mark.parametrize("path", ["", "a.b", "$.", "$[", "$.a ", "$" + "[?@" * 3000, "$" + ".a" * 600])
def test_a_path_that_is_none_is_invalid(path: str) -> None:
    with pytest.raises(InvalidConfig):
        json_path.check(path, None)


@pytest.mark.parametrize("value", ["(", 5, None])
def test_a_pattern_that_is_none_is_invalid(value: Any) -> None:
    with pytest.raises(InvalidConfig):
        json_path.check("$.a", {"op": "matches", "value": value})
