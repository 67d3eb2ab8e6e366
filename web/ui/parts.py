"""Partials that live updates fetch. The response is 304 if nothing has changed except relative times."""

import hashlib
import re
from typing import Any

from flask import Response, make_response, render_template, request, session

#: What differs between two renderings of unchanged data: relative times, which JavaScript updates, and the CSRF token,
#: which contains the time.
_PASSING = re.compile(r'(?<=>)[^<]*(?=</time>)|(?<=name="csrf_token" value=")[^"]*')


def part(template: str, **content: Any) -> Response:
    """Return `template` with an `ETag`, or a 304 without a body if the browser has the same content."""
    text = render_template(template, **content)
    tag = _tag(text)
    answer = make_response("", 304) if _is_known(tag) else make_response(text)
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.add("Cookie")
    return answer


def _tag(text: str) -> str:
    """Return a hash that is equal for two renderings with the same content in the same session."""
    digest = hashlib.sha256(_PASSING.sub("", text).encode())
    # A CSRF token of another session is not valid in this one.
    digest.update(str(session.get("csrf_token", "")).encode())
    return digest.hexdigest()[:32]


def _is_known(tag: str) -> bool:
    """Return whether the browser has `tag`. A proxy that compresses responses may have added a suffix to it."""
    known = request.if_none_match.as_set(include_weak=True)
    return any(re.split("[:;-]", candidate)[0] == tag for candidate in known)
