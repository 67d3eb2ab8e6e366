"""Parts of pages that live updates fetch again: answered with 304 if nothing but the passing of time changed them."""

import hashlib
import re
from typing import Any

from flask import Response, make_response, render_template, request, session

#: What differs from one rendering to the next without news: the words of relative times, which the page itself keeps
#: true, and the CSRF token, which is signed with the time.
_PASSING = re.compile(r'(?<=>)[^<]*(?=</time>)|(?<=name="csrf_token" value=")[^"]*')


def part(template: str, **content: Any) -> Response:
    """`template` as an answer with an `ETag`; 304 without a body if the browser has it already."""
    text = render_template(template, **content)
    tag = _tag(text)
    answer = make_response("", 304) if _is_known(tag) else make_response(text)
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.add("Cookie")
    return answer


def _tag(text: str) -> str:
    """The same for two renderings that say the same to the same session."""
    digest = hashlib.sha256(_PASSING.sub("", text).encode())
    # The token of another session is not valid in this one.
    digest.update(str(session.get("csrf_token", "")).encode())
    return digest.hexdigest()[:32]


def _is_known(tag: str) -> bool:
    """Whether the request names `tag`. What compresses answers on the way may have added a suffix to it."""
    known = request.if_none_match.as_set(include_weak=True)
    return any(re.split("[:;-]", one)[0] == tag for one in known)
