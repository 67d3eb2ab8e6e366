"""Every error code that users see, in one table.

API responses, check outcomes, alerts and pages use these codes and no others. `docs/errors.md` is written from this table.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How urgent an error is, from `low` (look when there is time) to `critical` (act at once)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Source(StrEnum):
    """Where an error is reported."""

    REQUEST = "request"
    CHECK = "check"
    CERTIFICATE = "certificate"


class Fault(NamedTuple):
    """One kind of error. `message` says what happened, `guidance` what to do next; each has one or two sentences.

    `retryable`: the same request or check may succeed later without a change. `status` is the HTTP status, if an API
    response may carry the code. The first code of a status in the table is the default code of that status.
    """

    severity: Severity
    retryable: bool
    sources: frozenset[Source]
    message: str
    guidance: str
    status: int | None = None


_REQUEST = frozenset({Source.REQUEST})
_CHECK = frozenset({Source.CHECK})
_CERTIFICATE = frozenset({Source.CERTIFICATE})
_LOW, _MEDIUM, _HIGH, _CRITICAL = Severity
_RETRY, _FINAL = True, False

# One row per code: its facts in the first line, then its message and its guidance.
# fmt: off
FAULTS: dict[str, Fault] = {
    # --- faults of the request --------------------------------------------------------------------
    "BAD_REQUEST": Fault(_LOW, _FINAL, _REQUEST,
        "The request is malformed.",
        "Check the syntax of the request.", status=400),
    "MALFORMED_JSON": Fault(_LOW, _FINAL, _REQUEST,
        "The body is not valid JSON.",
        "Check the body with a JSON validator. It must be UTF-8.", status=400),
    "UNAUTHORIZED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "The request has no valid session or API key.",
        "Send an API key as 'Authorization: Bearer <key>', or sign in.", status=401),
    "FORBIDDEN": Fault(_MEDIUM, _FINAL, _REQUEST,
        "Your role does not allow this action.",
        "Ask a project administrator for a role that allows it.", status=403),
    "NO_PROJECT": Fault(_MEDIUM, _FINAL, _REQUEST,
        "Your account has no role in any project.",
        "Ask an administrator for a role.", status=403),
    "PASSWORD_CHANGE_REQUIRED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "This account has a temporary password.",
        "Sign in with a browser and choose a new password.", status=403),
    "CSRF_FAILED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "The request has no valid CSRF token.",
        "Send the page's token in the header X-CSRFToken, or use an API key.", status=403),
    "NOT_FOUND": Fault(_LOW, _FINAL, _REQUEST,
        "The resource does not exist, or you have no access to it.",
        "Check the URL and the id.", status=404),
    "METHOD_NOT_ALLOWED": Fault(_LOW, _FINAL, _REQUEST,
        "This URL does not support the request method.",
        "Use one of the methods in the Allow header.", status=405),
    "CONFLICT": Fault(_LOW, _FINAL, _REQUEST,
        "The request conflicts with the current state.",
        "Read the current state, then send the request again if it still applies.", status=409),
    "IDEMPOTENCY_KEY_REUSED": Fault(_LOW, _FINAL, _REQUEST,
        "The Idempotency-Key was used for a different request.",
        "Use a new key for each new request. Reuse a key only to repeat the same request.", status=409),
    "TOO_LARGE": Fault(_LOW, _FINAL, _REQUEST,
        "The request body is too large.",
        "Send a smaller body.", status=413),
    "UNSUPPORTED_MEDIA_TYPE": Fault(_LOW, _FINAL, _REQUEST,
        "The content type of the request body is not supported.",
        "Send JSON with 'Content-Type: application/json'.", status=415),
    "VALIDATION_ERROR": Fault(_LOW, _FINAL, _REQUEST,
        "Some fields are invalid.",
        "Correct the fields listed in 'fields' and send the request again.", status=422),
    "RATE_LIMITED": Fault(_LOW, _RETRY, _REQUEST,
        "Too many requests.",
        "Wait for the time in the Retry-After header, then try again.", status=429),
    # --- faults of Supercheck -----------------------------------------------------------------------------------
    "INTERNAL_ERROR": Fault(_CRITICAL, _RETRY, _REQUEST | _CHECK,
        "An internal error occurred in Supercheck.",
        "Try again. If it happens again, give the operator the correlation id or the time, to find it in the log.", status=500),
    "UNAVAILABLE": Fault(_HIGH, _RETRY, _REQUEST,
        "A service that Supercheck needs is unavailable.",
        "Try again shortly. An operator can see at /readyz which dependency is down.", status=503),
    "NO_WORKER": Fault(_CRITICAL, _RETRY, _CHECK,
        "No check worker was online to run this check. The target's state is unknown.",
        "An operator must start a check worker for the monitor's locations."),
    "NO_ANSWER": Fault(_HIGH, _RETRY, _CHECK,
        "No location reported a result in time. The target's state is unknown.",
        "An operator can inspect the check workers and their connection to the database."),
    "PINGS_NOT_TAKEN": Fault(_HIGH, _RETRY, _CHECK,
        "Supercheck could not receive pings when this job's ping was expected. The job's state is unknown.",
        "No action is needed. The next ping sets the state; if it is missing too, an alert is sent."),
    "CHECK_TOO_LATE": Fault(_HIGH, _RETRY, _CHECK,
        "Supercheck's queue was late, so this check did not run. The target's state is unknown.",
        "An operator can start more check workers."),
    "PING_NOT_PERMITTED": Fault(_MEDIUM, _FINAL, _CHECK,
        "The check worker has no permission to send ICMP pings.",
        "An operator must grant it raw sockets, or unprivileged ping sockets."),
    "BLOCKED_TARGET": Fault(_MEDIUM, _FINAL, _CHECK,
        "This installation does not check internal addresses.",
        "An operator can allow this address with ALLOWED_INTERNAL_TARGETS."),
    "INVALID_CONFIG": Fault(_MEDIUM, _FINAL, _CHECK,
        "The monitor's settings are invalid.",
        "Open the monitor, enter its credentials again and save it."),
    # --- faults of the target ---------------------------------------------------------------------------
    "DNS_FAILURE": Fault(_HIGH, _RETRY, _CHECK,
        "The host name could not be resolved.",
        "Check its spelling and its DNS records."),
    "CONNECTION_REFUSED": Fault(_HIGH, _RETRY, _CHECK,
        "The host refused the connection: nothing listens on that port.",
        "Check that the service is running and listens on this port."),
    "CONNECTION_RESET": Fault(_HIGH, _RETRY, _CHECK,
        "The connection was closed before the response was complete.",
        "Check the logs of the server and of any proxy."),
    "CONNECT_TIMEOUT": Fault(_HIGH, _RETRY, _CHECK,
        "The connection could not be established in time.",
        "Check that the host is up and that no firewall drops the packets."),
    "READ_TIMEOUT": Fault(_HIGH, _RETRY, _CHECK,
        "The server accepted the request but did not complete its response in time.",
        "Check what delays the server, or raise the monitor's timeout."),
    "TLS_ERROR": Fault(_HIGH, _FINAL, _CHECK,
        "The TLS connection failed.",
        "Check the certificate: its dates, its names and its chain."),
    "PROTOCOL_ERROR": Fault(_HIGH, _FINAL, _CHECK,
        "The response violates its protocol.",
        "Check that the right service listens on this address and port."),
    "UNEXPECTED_STATUS": Fault(_HIGH, _RETRY, _CHECK,
        "The HTTP status is not one of the expected ones.",
        "Check the server's log, or add the status to the expected ones."),
    "KEYWORD_MISSING": Fault(_HIGH, _FINAL, _CHECK,
        "The response does not contain the expected keyword.",
        "Check the page, or correct the keyword."),
    "KEYWORD_PRESENT": Fault(_HIGH, _FINAL, _CHECK,
        "The response contains a keyword that must not be present.",
        "Check the page, or correct the keyword."),
    "JSON_PATH_MISMATCH": Fault(_HIGH, _FINAL, _CHECK,
        "The value at the JSON path is not the expected one.",
        "Compare the response with the monitor's JSON path and expected value."),
    "RESPONSE_TOO_LARGE": Fault(_MEDIUM, _FINAL, _CHECK,
        "The response is larger than this installation reads.",
        "Check a smaller page, or ask an operator to raise MAX_RESPONSE_SIZE_MB."),
    "RESPONSE_TOO_SLOW": Fault(_MEDIUM, _RETRY, _CHECK,
        "The response was correct but slower than allowed.",
        "Check which phase is slow, or raise the limit."),
    "TOO_MANY_REDIRECTS": Fault(_HIGH, _FINAL, _CHECK,
        "The limit of redirects was exceeded.",
        "Check where the URL redirects to, or raise the limit."),
    "PORT_CLOSED": Fault(_HIGH, _RETRY, _CHECK,
        "Nothing listens on that port.",
        "Check that the service is running and listens on this port."),
    "UNEXPECTED_ANSWER": Fault(_HIGH, _FINAL, _CHECK,
        "The response of the service is not the expected one.",
        "Check that the right service listens on this port, or correct the expected text."),
    "HOST_UNREACHABLE": Fault(_HIGH, _RETRY, _CHECK,
        "The host did not reply.",
        "Check that the host is up and that the network path to it works."),
    "PACKET_LOSS": Fault(_MEDIUM, _RETRY, _CHECK,
        "Packet loss exceeds the limit.",
        "Check the network path to the host."),
    "HEARTBEAT_MISSED": Fault(_HIGH, _FINAL, _CHECK,
        "No ping was received before the deadline.",
        "Check that the job ran and that it can reach Supercheck."),
    "HEARTBEAT_FAILED": Fault(_HIGH, _FINAL, _CHECK,
        "The job reported a failure.",
        "Check the job's log."),
    "TEST_FAILED": Fault(_HIGH, _RETRY, _CHECK,
        "The browser test failed.",
        "Open its report to see the step that failed."),
    "CERTIFICATE_EXPIRING": Fault(_MEDIUM, _FINAL, _CERTIFICATE,
        "The certificate expires soon.",
        "Renew it, and check that the server uses the new one."),
    "CERTIFICATE_EXPIRED": Fault(_HIGH, _FINAL, _CERTIFICATE,
        "The certificate has expired.",
        "Renew it now, and check that the server uses the new one."),
}
# fmt: on


def default_of(status: int) -> str:
    """Return the default error code of an HTTP status."""
    exact = next((code for code, fault in FAULTS.items() if fault.status == status), None)
    return exact or ("BAD_REQUEST" if status < 500 else "INTERNAL_ERROR")


def advice(code: str | None) -> str:
    """Return the message and the guidance of a code; an empty string if the code is unknown."""
    fault = FAULTS.get(code or "")
    return f"{fault.message} {fault.guidance}" if fault else ""


def guidance(code: str | None) -> str:
    """Return the guidance of a code; an empty string if the code is unknown."""
    fault = FAULTS.get(code or "")
    return fault.guidance if fault else ""
