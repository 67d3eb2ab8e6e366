"""Apprise: a hundred more services, each by its URL.

Apprise is written for people who trust their own URLs. Here a URL comes from a user, so only those of its services
are used that do nothing but call HTTP, and they get to call it through our guarded session.
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
from notifications.post import GuardedSession, failure, judge_response
from notifications.wording import Tone, as_text, describe, unmarked

MOST_CALLS = 20
MOST_SECONDS = 30.0
#: Services wait up to several seconds between two calls; a worker's thread has others to serve.
_PAUSE_SECONDS = 0.25
_KINDS = {Tone.BAD: "failure", Tone.GOOD: "success", Tone.WARNING: "warning", Tone.NEUTRAL: "info"}
#: Where the names in a service's module may come from. Whatever opens sockets or runs programs is missing here, and
#: Apprise's attachments, which read local files by the URL's wish.
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
    """The calls of one delivery, and the last answer or error among them."""

    def __init__(self) -> None:
        self.count = 0
        self.ends_at = time.monotonic() + MOST_SECONDS
        self.response: requests.Response | None = None
        self.error: NotificationError | None = None


_calls: ContextVar[_Calls] = ContextVar("calls")


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` by the Apprise URL `url`. Raises `NotificationError`."""
    url = str(config.get("url") or "")
    service = _service(url)
    wording = describe(notice)
    calls = _Calls()
    token = _calls.set(calls)
    try:
        taken = service.notify(
            title=unmarked(wording.subject),
            body=unmarked(as_text(wording)),
            notify_type=_KINDS[wording.tone],
            body_format="text",
        )
    except NotificationError:
        raise
    except Exception:  # noqa: BLE001 - services raise whatever they like, and their texts may hold the URL
        raise NotificationError("The service of this Apprise URL failed.", permanent=False) from None
    finally:
        _calls.reset(token)
    if taken:
        return
    if calls.response is not None:
        judge_response(calls.response, [url, *re.split(r"[/:?&=@,]+", url)])
    raise calls.error or NotificationError("The service of this Apprise URL did not take the message.", permanent=False)


def _service(url: str) -> Any:
    """The service behind `url`, made to call through us, or a permanent error."""
    library = _library()
    parsed = library.plugins.url_to_dict(url, secure_logging=True)
    if parsed is None:
        raise NotificationError("This is not a URL that Apprise knows.", permanent=True)
    kind = library.plugins.N_MGR[parsed["schema"]]
    module = sys.modules[kind.__module__]
    if not _only_calls_http(module):
        raise NotificationError(f"{kind.service_name} cannot be used here: it does more than HTTP.", permanent=True)
    module.__dict__["requests"] = _GUARDED
    asset = library.AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory")
    service = library.Apprise.instantiate(parsed, asset=asset)
    if service is None:
        raise NotificationError("Something is missing in this Apprise URL.", permanent=True)
    service.request_rate_per_sec = min(service.request_rate_per_sec, _PAUSE_SECONDS)
    return service


@cache
def _library() -> Any:
    """Apprise, imported at the first use: it brings every service along, some 25 MB and a second."""
    import apprise

    library: Any = apprise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its services' own debts, none of ours to mend
        library.plugins.N_MGR.load_modules()
    # Its log lines may quote URLs and answers.
    logging.getLogger("apprise").disabled = True
    return library


def _only_calls_http(module: ModuleType) -> bool:
    """Whether `module` knows `requests` and nothing else that reaches out of the process."""
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
    """`requests.request` for services: guarded, counted, its answer remembered."""
    calls = _calls.get()
    calls.count += 1
    if calls.count > MOST_CALLS:
        raise NotificationError(f"This Apprise URL asks for more than {MOST_CALLS} calls.", permanent=True)
    if time.monotonic() > calls.ends_at:
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
    """Stands in for the module `requests` inside a service."""

    Session = GuardedSession
    request = staticmethod(_request)

    def __getattr__(self, name: str) -> Any:
        if name in {"get", "post", "put", "patch", "delete", "head", "options"}:
            return partial(_request, name.upper())
        return getattr(requests, name)


_GUARDED = _GuardedRequests()
