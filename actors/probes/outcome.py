"""What a probe returns."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from actors.probes.worker_fault import WorkerFault


class Status(StrEnum):
    """`DOWN`: the target failed. `ERROR`: the worker could not check."""

    UP = "up"
    DOWN = "down"
    ERROR = "error"


class Reason(StrEnum):
    """Why an outcome is not up: `errorCode` in API.md. The values are stable."""

    DNS_FAILURE = "DNS_FAILURE"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    CONNECTION_RESET = "CONNECTION_RESET"
    CONNECT_TIMEOUT = "CONNECT_TIMEOUT"
    READ_TIMEOUT = "READ_TIMEOUT"
    TLS_ERROR = "TLS_ERROR"
    PROTOCOL_ERROR = "PROTOCOL_ERROR"
    UNEXPECTED_STATUS = "UNEXPECTED_STATUS"
    KEYWORD_MISSING = "KEYWORD_MISSING"
    KEYWORD_PRESENT = "KEYWORD_PRESENT"
    JSON_PATH_MISMATCH = "JSON_PATH_MISMATCH"
    RESPONSE_TOO_LARGE = "RESPONSE_TOO_LARGE"
    RESPONSE_TOO_SLOW = "RESPONSE_TOO_SLOW"
    TOO_MANY_REDIRECTS = "TOO_MANY_REDIRECTS"
    BLOCKED_TARGET = "BLOCKED_TARGET"
    PORT_CLOSED = "PORT_CLOSED"
    UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER"
    HOST_UNREACHABLE = "HOST_UNREACHABLE"
    PACKET_LOSS = "PACKET_LOSS"
    PING_NOT_PERMITTED = "PING_NOT_PERMITTED"
    HEARTBEAT_MISSED = "HEARTBEAT_MISSED"
    HEARTBEAT_FAILED = "HEARTBEAT_FAILED"
    TEST_FAILED = "TEST_FAILED"
    CHECK_TOO_LATE = "CHECK_TOO_LATE"
    INVALID_CONFIG = "INVALID_CONFIG"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(slots=True)
class Outcome:
    """The outcome of one attempt.

    `response_time_ms` is set on failure too, wherever anything was measured. `message` is one sentence for
    people, in plain text (targets write parts of it: hostile). `details` holds the keys of API.md's `details`,
    JSON types only, without `errorCode` and `errorMessage`, which are `reason` and `message`. `fault` is what the
    worker lacks, where an operator is to be warned of it.
    """

    status: Status
    response_time_ms: float | None = None
    reason: Reason | None = None
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    fault: WorkerFault | None = None
