"""Every error that users meet: a closed set of codes, in one table.

Answers of the API, check outcomes, alerts and pages name these codes, and no others. `docs/errors.md` is made from it.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much it asks of whoever reads it: a look when there is time, or everything at once."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Source(StrEnum):
    """Where an error shows itself."""

    REQUEST = "request"
    CHECK = "check"
    CERTIFICATE = "certificate"


class Fault(NamedTuple):
    """One kind of error. `message` says what happened and `guidance` what to do next, a sentence or two each.

    `retryable`: the same again may go well without anybody changing anything. `status` is the HTTP status where an API
    answer may carry the code; it is the default code of that status where it comes first in the table.
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
_AGAIN, _FINAL = True, False

# A row is read across, its two sentences beneath.
# fmt: off
FAULTS: dict[str, Fault] = {
    # --- the caller's request -------------------------------------------------------------------
    "BAD_REQUEST": Fault(_LOW, _FINAL, _REQUEST,
        "The request cannot be understood.",
        "Check the syntax of the request.", status=400),
    "MALFORMED_JSON": Fault(_LOW, _FINAL, _REQUEST,
        "The body is not readable JSON.",
        "Check the body with a JSON validator; it must be UTF-8.", status=400),
    "UNAUTHORIZED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "Nobody is signed in, and no valid API key was sent.",
        "Send an API key as 'Authorization: Bearer <key>', or sign in.", status=401),
    "FORBIDDEN": Fault(_MEDIUM, _FINAL, _REQUEST,
        "The caller's role may not do this.",
        "Ask an administrator of the project for the role that this needs.", status=403),
    "NO_PROJECT": Fault(_MEDIUM, _FINAL, _REQUEST,
        "The signed-in person has no role in any project.",
        "Ask an administrator for a role.", status=403),
    "PASSWORD_CHANGE_REQUIRED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "Somebody else chose this account's password.",
        "Sign in with a browser and choose another one.", status=403),
    "CSRF_FAILED": Fault(_MEDIUM, _FINAL, _REQUEST,
        "The request of a signed-in browser came without its page's token.",
        "Send the token of the page in the header X-CSRFToken, or use an API key.", status=403),
    "NOT_FOUND": Fault(_LOW, _FINAL, _REQUEST,
        "There is no such thing, or it is not the caller's.",
        "Check the address and the id.", status=404),
    "METHOD_NOT_ALLOWED": Fault(_LOW, _FINAL, _REQUEST,
        "The method is not possible at this address.",
        "Use one of the methods in the Allow header.", status=405),
    "CONFLICT": Fault(_LOW, _FINAL, _REQUEST,
        "The request does not go with the present state.",
        "Read the present state, then decide again.", status=409),
    "IDEMPOTENCY_KEY_REUSED": Fault(_LOW, _FINAL, _REQUEST,
        "The Idempotency-Key came with another request before.",
        "Send a fresh key with every new request, and the same one only when repeating it.", status=409),
    "TOO_LARGE": Fault(_LOW, _FINAL, _REQUEST,
        "The body is too large.",
        "Send a smaller body.", status=413),
    "UNSUPPORTED_MEDIA_TYPE": Fault(_LOW, _FINAL, _REQUEST,
        "The body is of a type that is not taken here.",
        "Send JSON with 'Content-Type: application/json'.", status=415),
    "VALIDATION_ERROR": Fault(_LOW, _FINAL, _REQUEST,
        "Some fields are not valid.",
        "Correct the fields named in 'fields' and send the request again.", status=422),
    "RATE_LIMITED": Fault(_LOW, _AGAIN, _REQUEST,
        "Too many requests came in too short a time.",
        "Wait for as long as the Retry-After header says.", status=429),
    # --- ours -----------------------------------------------------------------------------------
    "INTERNAL_ERROR": Fault(_CRITICAL, _AGAIN, _REQUEST | _CHECK,
        "Something went wrong on our side.",
        "Try again; if it happens again, give the operator the correlation id or the time: the log tells more.", status=500),
    "UNAVAILABLE": Fault(_HIGH, _AGAIN, _REQUEST,
        "A part of the installation is out of reach.",
        "Try again shortly; /readyz tells an operator which dependency is down.", status=503),
    "NO_WORKER": Fault(_CRITICAL, _AGAIN, _CHECK,
        "No check worker was there to look. It says nothing about the target.",
        "An operator must start a check worker for the monitor's locations."),
    "NO_ANSWER": Fault(_HIGH, _AGAIN, _CHECK,
        "No location answered in time. It says nothing about the target.",
        "An operator may look at the check workers and their way to the database."),
    "PINGS_NOT_TAKEN": Fault(_HIGH, _AGAIN, _CHECK,
        "We could not take pings when this job's was expected. It says nothing about the job.",
        "Nothing need be done: the job's next ping settles it, and if none comes at its next turn, that is told."),
    "CHECK_TOO_LATE": Fault(_HIGH, _AGAIN, _CHECK,
        "Our own queue was late, so this check was not made. It says nothing about the target.",
        "An operator may start more check workers."),
    "PING_NOT_PERMITTED": Fault(_MEDIUM, _FINAL, _CHECK,
        "Our check worker may not send pings.",
        "An operator must grant it raw sockets, or unprivileged ping sockets."),
    "BLOCKED_TARGET": Fault(_MEDIUM, _FINAL, _CHECK,
        "This installation does not check internal addresses.",
        "An operator may allow this one with ALLOWED_INTERNAL_TARGETS."),
    "INVALID_CONFIG": Fault(_MEDIUM, _FINAL, _CHECK,
        "The monitor's settings cannot be used.",
        "Open the monitor and save it again, its credentials included."),
    # --- the target's ---------------------------------------------------------------------------
    "DNS_FAILURE": Fault(_HIGH, _AGAIN, _CHECK,
        "The name could not be resolved.",
        "Check its spelling and its DNS records."),
    "CONNECTION_REFUSED": Fault(_HIGH, _AGAIN, _CHECK,
        "The host answered, but nothing listens on that port.",
        "See whether the service is running and on which port it listens."),
    "CONNECTION_RESET": Fault(_HIGH, _AGAIN, _CHECK,
        "The connection was cut off in the middle.",
        "Look at the server's or a proxy's log."),
    "CONNECT_TIMEOUT": Fault(_HIGH, _AGAIN, _CHECK,
        "No connection came about in time.",
        "See whether the host is on, and whether a firewall drops the packets."),
    "READ_TIMEOUT": Fault(_HIGH, _AGAIN, _CHECK,
        "The server took the request but did not finish its answer in time.",
        "See what keeps the server busy, or allow it more time."),
    "TLS_ERROR": Fault(_HIGH, _FINAL, _CHECK,
        "The encrypted connection failed.",
        "Check the certificate: its dates, its names, its chain."),
    "PROTOCOL_ERROR": Fault(_HIGH, _FINAL, _CHECK,
        "The answer broke the rules of its protocol.",
        "Check that the right service listens at this address and port."),
    "UNEXPECTED_STATUS": Fault(_HIGH, _AGAIN, _CHECK,
        "The server answered with a status that is not among the expected ones.",
        "Look at the server's log, or add the status to the expected ones."),
    "KEYWORD_MISSING": Fault(_HIGH, _FINAL, _CHECK,
        "The answer came, but without the expected keyword.",
        "Look at the page, or correct the keyword."),
    "KEYWORD_PRESENT": Fault(_HIGH, _FINAL, _CHECK,
        "The answer contains the keyword that must not be there.",
        "Look at the page, or correct the keyword."),
    "JSON_PATH_MISMATCH": Fault(_HIGH, _FINAL, _CHECK,
        "The answer's JSON does not hold the expected value.",
        "Compare the answer with the monitor's JSON path and the value that it expects."),
    "RESPONSE_TOO_LARGE": Fault(_MEDIUM, _FINAL, _CHECK,
        "The answer is larger than this installation reads.",
        "Choose a smaller page, or ask an operator to raise MAX_RESPONSE_SIZE_MB."),
    "RESPONSE_TOO_SLOW": Fault(_MEDIUM, _AGAIN, _CHECK,
        "The answer was right, but slower than allowed.",
        "See which phase took the time, or allow more."),
    "TOO_MANY_REDIRECTS": Fault(_HIGH, _FINAL, _CHECK,
        "The redirects did not come to an end.",
        "Check where the address redirects to, or allow more redirects."),
    "PORT_CLOSED": Fault(_HIGH, _AGAIN, _CHECK,
        "Nothing listens on that port.",
        "See whether the service is running and on which port it listens."),
    "UNEXPECTED_ANSWER": Fault(_HIGH, _FINAL, _CHECK,
        "The service answered something else than what the monitor expects.",
        "Check that the right service listens there, or correct the expected text."),
    "HOST_UNREACHABLE": Fault(_HIGH, _AGAIN, _CHECK,
        "The host did not answer.",
        "See whether it is on, and whether the way to it is cut."),
    "PACKET_LOSS": Fault(_MEDIUM, _AGAIN, _CHECK,
        "More packets were lost than allowed.",
        "Look at the network on the way to the host."),
    "HEARTBEAT_MISSED": Fault(_HIGH, _FINAL, _CHECK,
        "No ping came before the deadline.",
        "See whether the job ran and could reach us."),
    "HEARTBEAT_FAILED": Fault(_HIGH, _FINAL, _CHECK,
        "The job reported a failure itself.",
        "Look at the job's own log."),
    "TEST_FAILED": Fault(_HIGH, _AGAIN, _CHECK,
        "The browser test failed.",
        "Look at its report: it shows the step that failed."),
    "CERTIFICATE_EXPIRING": Fault(_MEDIUM, _FINAL, _CERTIFICATE,
        "The certificate expires soon.",
        "Renew it, and see that the server shows the new one."),
    "CERTIFICATE_EXPIRED": Fault(_HIGH, _FINAL, _CERTIFICATE,
        "The certificate has expired.",
        "Renew it at once, and see that the server shows the new one."),
}
# fmt: on


def default_of(status: int) -> str:
    """The code of an API answer that says nothing more precise than its HTTP status."""
    exact = next((code for code, fault in FAULTS.items() if fault.status == status), None)
    return exact or ("BAD_REQUEST" if status < 500 else "INTERNAL_ERROR")


def advice(code: str | None) -> str:
    """What happened and what to do next, for people; empty where the code is none of ours."""
    fault = FAULTS.get(code or "")
    return f"{fault.message} {fault.guidance}" if fault else ""


def guidance(code: str | None) -> str:
    """What to do next; empty where the code is none of ours."""
    fault = FAULTS.get(code or "")
    return fault.guidance if fault else ""
