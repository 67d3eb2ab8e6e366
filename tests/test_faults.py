"""One closed set of codes: whatever names one names one of the table, and the table names nothing else."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import faults
from actors.probes.outcome import Reason
from faults import FAULTS, Severity, Source
from notifications import wording

ROOT = Path(__file__).parents[1]
ROOMS = ("actors", "models", "notifications", "scheduling", "web", "ops")
#: Words that are set beside `code=` or `errorCode` and name an error.
_WORD = re.compile(r"[A-Z]+(?:_[A-Z]+)+")


def codes(source: Source) -> set[str]:
    return {code for code, fault in FAULTS.items() if source in fault.sources}


def named_in_the_rooms() -> Iterator[tuple[str, str]]:
    """(file, word) of all that our code gives out as a code: arguments, dictionary values, and our own gaps."""
    for path in itertools.chain.from_iterable((ROOT / room).rglob("*.py") for room in ROOMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in {"code", "error_code"}:
                values: list[ast.AST] = [node.value]
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                values = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "errorCode"]
            elif isinstance(node, ast.Assign) and "error_code" in ast.unparse(node.targets[0]):
                values = [node.value]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Gap":
                values = list(node.args[:1])
            else:
                continue
            for one in itertools.chain.from_iterable(ast.walk(value) for value in values):
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and _WORD.fullmatch(one.value):
                    yield str(path.relative_to(ROOT)), one.value


def test_every_reason_of_a_check_is_in_the_table_and_no_other() -> None:
    assert {reason.value for reason in Reason} | {"NO_WORKER", "NO_ANSWER", "PINGS_NOT_TAKEN"} == codes(Source.CHECK)


def test_whatever_code_is_given_out_is_in_the_table() -> None:
    found = list(named_in_the_rooms())
    assert {word for _, word in found} >= {"NO_ANSWER", "NO_WORKER", "CSRF_FAILED", "CERTIFICATE_EXPIRED"}
    assert [(file, word) for file, word in found if word not in FAULTS] == []


def test_the_codes_of_certificates_are_those_that_the_messages_tell_apart() -> None:
    assert codes(Source.CERTIFICATE) == {"CERTIFICATE_EXPIRING", "CERTIFICATE_EXPIRED"}
    assert wording._EXPIRED in FAULTS


@pytest.mark.parametrize("code", FAULTS)
def test_every_error_says_what_happened_and_what_to_do(code: str) -> None:
    fault = FAULTS[code]
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code)
    assert fault.severity in set(Severity)
    assert fault.sources
    assert (fault.status is not None) == (Source.REQUEST in fault.sources)
    for sentence in (fault.message, fault.guidance):
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert sentence.isprintable()
        assert len(sentence) <= 160


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503])
def test_every_status_of_the_contract_has_a_code_of_its_own(status: int) -> None:
    assert FAULTS[faults.default_of(status)].status == status


def test_the_first_code_of_a_status_is_its_default() -> None:
    assert (faults.default_of(400), faults.default_of(403)) == ("BAD_REQUEST", "FORBIDDEN")


@pytest.mark.parametrize(("status", "code"), [(406, "BAD_REQUEST"), (414, "BAD_REQUEST"), (501, "INTERNAL_ERROR")])
def test_a_status_that_nobody_foresaw_has_a_code_of_the_table(status: int, code: str) -> None:
    assert faults.default_of(status) == code


def test_what_is_no_code_has_no_advice() -> None:
    assert (faults.advice(None), faults.advice("<script>"), faults.guidance(None)) == ("", "", "")
    assert (
        faults.advice("DNS_FAILURE") == "The host name could not be resolved. Check its spelling and its DNS records."
    )
