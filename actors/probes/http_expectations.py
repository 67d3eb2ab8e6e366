"""What a response must contain for a check to be up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import charsets
from actors.probes import json_evaluator, json_path, status_codes
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain

# Larger bodies are evaluated in a separate process, so that other checks do not wait.
_LARGE_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Expectations:
    """The expectations of one monitor."""

    codes: frozenset[int]
    codes_text: str
    keyword: str
    keyword_present: bool
    json_path: str
    json_expected: Any
    max_ms: float | None

    @property
    def need_body(self) -> bool:
        """Return whether the body must be kept."""
        return bool(self.keyword or self.json_path)


def read(config: Mapping[str, Any]) -> Expectations:
    """Return the expectations in `config`. Raise `InvalidConfig`."""
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


async def first_mismatch(
    expected: Expectations, status: int, body: bytes, kind: str, response_time_ms: float
) -> Outcome | None:
    """Return the outcome of the first expectation that fails, or None. `kind` is the Content-Type."""
    if status not in expected.codes:
        return _down(Reason.UNEXPECTED_STATUS, f"HTTP {status} received, expected {plain(expected.codes_text, 80)}.")
    if expected.keyword:
        present = charsets.contains(charsets.decode(body, kind), expected.keyword)
        if present and not expected.keyword_present:
            return _down(
                Reason.KEYWORD_PRESENT,
                f"Keyword “{plain(expected.keyword, 80)}” found in the response, but it must not be there.",
            )
        if not present and expected.keyword_present:
            return _down(Reason.KEYWORD_MISSING, f"Keyword “{plain(expected.keyword, 80)}” not found in the response.")
    if expected.json_path:
        arguments = (expected.json_path, expected.json_expected, charsets.decode(body, kind))
        try:
            large = len(body) > _LARGE_BODY
            mismatch = await json_evaluator.mismatch(*arguments) if large else json_path.mismatch(*arguments)
        except json_evaluator.EvaluationFailed as error:
            return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message=str(error))
        if mismatch:
            return _down(Reason.JSON_PATH_MISMATCH, mismatch)
    if expected.max_ms is not None and response_time_ms > expected.max_ms:
        return _down(
            Reason.RESPONSE_TOO_SLOW,
            f"The response took {response_time_ms:.0f} ms, the limit is {expected.max_ms:g} ms.",
        )
    return None


def _down(reason: Reason, message: str) -> Outcome:
    return Outcome(Status.DOWN, reason=reason, message=message)
