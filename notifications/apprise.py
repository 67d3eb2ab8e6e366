"""Apprise: a hundred more services, each configured by a URL.

Apprise trusts its URLs. Here a URL comes from a user, so only services that do nothing but HTTP calls are allowed, and
their calls go through `GuardedSession`.
"""

import logging
import re
import sys
import time
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache, partial
from types import ModuleType
from typing import Any

import requests

from notifications.notice import Notice, NotificationError
from notifications.post import GuardedSession, check_response, failure
from notifications.wording import Tone, as_text, describe, without_markup

MAX_CALLS = 20
MAX_SECONDS = 30.0
#: Services pause several seconds between two calls, which would block a worker's thread; this is the maximum pause.
_PAUSE_SECONDS = 0.25
_KINDS = {Tone.BAD: "failure", Tone.GOOD: "success", Tone.WARNING: "warning", Tone.NEUTRAL: "info"}
#: Modules that a service's module may import from. Modules that open sockets or run programs are not listed, nor are
#: Apprise's attachments, which read local files named in the URL.
_HARMLESS = re.compile(
    r"""(?: __future__ | _?hashlib | _?io | base64 | binascii | builtins | calendar | collections | contextlib | copy
    | cryptography | dataclasses | datetime | email | enum | functools | gzip | hmac | html | itertools | json | locale
    | logging | math | os | posixpath | random | re | requests | secrets | string | struct | time | typing | urllib
    | uuid | xml | zoneinfo
    | apprise\.(?: asset | attachment\.base | attachment\.memory | common | conversion | exception | locale | logger
    | plugins\.base | url | utils\.(?: base64 | format | json | logic | parse | sanitize | time | xml ) )
    ) (?: \. .* )?""",
    re.VERBOSE,
)


class _Calls:
    """The calls of one delivery, with the last response or error."""

    def __init__(self) -> None:
        self.count = 0
        self.deadline = time.monotonic() + MAX_SECONDS
        self.response: requests.Response | None = None
        self.error: NotificationError | None = None


_calls: ContextVar[_Calls] = ContextVar("calls")


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` by the Apprise URL `url`. Raise `NotificationError`."""
    url = str(config.get("url") or "")
    service = _service(url)
    wording = describe(notice)
    calls = _Calls()
    token = _calls.set(calls)
    try:
        accepted = service.notify(
            title=without_markup(wording.subject),
            body=without_markup(as_text(wording)),
            notify_type=_KINDS[wording.tone],
            body_format="text",
        )
    except NotificationError:
        raise
    except Exception:  # noqa: BLE001 - services raise any exception, and its text may contain the URL
        raise NotificationError("The service of this Apprise URL failed.", permanent=False) from None
    finally:
        _calls.reset(token)
    if accepted:
        return
    if calls.response is not None:
        check_response(calls.response, [url, *re.split(r"[/:?&=@,]+", url)])
    raise calls.error or NotificationError(
        "The service of this Apprise URL did not accept the message.", permanent=False
    )


def _service(url: str) -> Any:
    """Return the service of `url`, with its HTTP calls guarded. Raise a permanent `NotificationError` if it cannot be used."""
    library = _library()
    parsed = library.plugins.url_to_dict(url, secure_logging=True)
    if parsed is None:
        raise NotificationError("Apprise does not support this URL.", permanent=True)
    kind = library.plugins.N_MGR[parsed["schema"]]
    module = sys.modules[kind.__module__]
    if not _only_calls_http(module):
        raise NotificationError(
            f"{kind.service_name} cannot be used: only services that work over HTTP are allowed.", permanent=True
        )
    module.__dict__["requests"] = _GUARDED
    asset = library.AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory")
    service = library.Apprise.instantiate(parsed, asset=asset)
    if service is None:
        raise NotificationError("This Apprise URL is incomplete.", permanent=True)
    service.request_rate_per_sec = min(service.request_rate_per_sec, _PAUSE_SECONDS)
    return service


@cache
def _library() -> Any:
    """Return Apprise, imported at the first use: it imports all services, which takes 25 MB and a second."""
    import apprise

    library: Any = apprise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of third-party code
        library.plugins.N_MGR.load_modules()
    # Its log lines may contain URLs and responses.
    logging.getLogger("apprise").disabled = True
    return library


def _only_calls_http(module: ModuleType) -> bool:
    """Return whether `module` imports `requests` and otherwise only harmless modules."""
    names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    if names.get("requests") not in {requests, _GUARDED}:
        return False
    for value in names.values():
        origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        ours = value is _GUARDED or not isinstance(origin, str) or origin == module.__name__
        if not ours and not _HARMLESS.fullmatch(str(origin)):
            return False
    return True


def _request(method: str, url: str, **options: Any) -> requests.Response:
    """Replace `requests.request` for services: guard and count the call, and store its response."""
    calls = _calls.get()
    calls.count += 1
    if calls.count > MAX_CALLS:
        raise NotificationError(f"This Apprise URL needs more than {MAX_CALLS} calls.", permanent=True)
    if time.monotonic() > calls.deadline:
        raise NotificationError("The calls of this Apprise URL took too long.", permanent=False)
    calls.response = calls.error = None
    try:
        with GuardedSession() as session:
            calls.response = session.request(method, url, **options)
    except requests.RequestException as error:
        calls.error = failure(url, error)
        raise
    return calls.response


class _GuardedRequests:
    """Replaces the module `requests` inside a service."""

    Session = GuardedSession
    request = staticmethod(_request)

    def __getattr__(self, name: str) -> Any:
        if name in {"get", "post", "put", "patch", "delete", "head", "options"}:
            return partial(_request, name.upper())
        return getattr(requests, name)


_GUARDED = _GuardedRequests()
