"""What an answer must be for a check to be up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import charsets
from actors.probes import json_evaluator, json_path, status_codes
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain

# Above this size a JSON path is evaluated in a process of its own: other checks must not wait for it.
_LARGE_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Expectations:
    """Read from a monitor's configuration once a check."""

    codes: frozenset[int]
    codes_text: str
    keyword: str
    keyword_present: bool
    json_path: str
    json_expected: Any
    slowest_ms: float | None

    @property
    def need_body(self) -> bool:
        """Whether the body has to be kept."""
        return bool(self.keyword or self.json_path)


def read(config: Mapping[str, Any]) -> Expectations:
    """The expectations of `config`. Raises `InvalidConfig`."""
    codes = config["expectedStatusCodes"]
    path = config.get("jsonPath") or ""
    json_expected = config.get("jsonPathExpected")
    if path:
        json_path.check(path, json_expected)
    return Expectations(
        status_codes.parse(codes),
        codes,
        config.get("keywordInBody") or "",
        config["keywordInBodyShouldBePresent"],
        path,
        json_expected,
        config.get("maxResponseTimeMs"),
    )


async def disappointment(
    expected: Expectations, status: int, body: bytes, kind: str, response_time_ms: float
) -> Outcome | None:
    """The first expectation that the answer does not meet, None where it meets all; `kind` is its Content-Type."""
    if status not in expected.codes:
        return _down(
            Reason.UNEXPECTED_STATUS, f"The answer was {status}, expected was {plain(expected.codes_text, 80)}."
        )
    if expected.keyword:
        present = charsets.contains(charsets.decode(body, kind), expected.keyword)
        if present and not expected.keyword_present:
            return _down(
                Reason.KEYWORD_PRESENT, f"The answer contains “{plain(expected.keyword, 80)}”, which it must not."
            )
        if not present and expected.keyword_present:
            return _down(Reason.KEYWORD_MISSING, f"The answer does not contain “{plain(expected.keyword, 80)}”.")
    if expected.json_path:
        arguments = (expected.json_path, expected.json_expected, charsets.decode(body, kind))
        try:
            large = len(body) > _LARGE_BODY
            mismatch = await json_evaluator.mismatch(*arguments) if large else json_path.mismatch(*arguments)
        except json_evaluator.EvaluationFailed as error:
            return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message=str(error))
        if mismatch:
            return _down(Reason.JSON_PATH_MISMATCH, mismatch)
    if expected.slowest_ms is not None and response_time_ms > expected.slowest_ms:
        return _down(
            Reason.RESPONSE_TOO_SLOW,
            f"The answer took {response_time_ms:.0f} ms, allowed are {expected.slowest_ms:g} ms.",
        )
    return None


def _down(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=reason, message=message)
