"""Text answers are compressed with gzip, unless that could tell a stranger something.

The length of a compressed page tells what repeats in it. Somebody who makes a browser send many requests with guesses, and
sees the lengths of the answers, learns secrets that way (BREACH). Such requests come from another site, and browsers say
so in `Sec-Fetch-Site`: their answers are not compressed. All others carry a filler of random length besides.
"""

import gzip
import io
import secrets

from flask import Flask, Response, request

#: Shorter answers fit into one packet anyway.
LEAST_BYTES = 1000
_LEVEL = 5
_FILLER_BYTES = 64
_TYPES = {
    "application/json",
    "application/javascript",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
}
_OUR_OWN = {"same-origin", "none"}


def init_app(app: Flask) -> None:
    """Compress the answers of `app`. Call it before all that changes answers, so that it runs after that."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if not _is_text(response.mimetype):
        return response
    if response.mimetype == "text/html":
        # Every page is somebody's own and may change at any time; with an ETag it is not sent again.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.add("Accept-Encoding")
    response.vary.add("Sec-Fetch-Site")
    if not _is_wanted(response):
        return response
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < LEAST_BYTES:
        return response
    response.set_data(compressed(data))
    response.content_encoding = "gzip"
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)  # no longer the same bytes
    return response


def _is_text(kind: str | None) -> bool:
    return kind in _TYPES or ((kind or "").startswith("text/") and kind != "text/event-stream")


def _is_wanted(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in (204, 206, 304)
        and not response.content_encoding
        and (not response.is_streamed or response.direct_passthrough)
        and request.accept_encodings["gzip"] > 0
        and request.headers.get("Sec-Fetch-Site", "none") in _OUR_OWN
    )


def compressed(data: bytes) -> bytes:
    """`data` as gzip, with a file name of random length that readers pass over."""
    name = secrets.token_hex(_FILLER_BYTES)[: secrets.randbelow(2 * _FILLER_BYTES)]
    with io.BytesIO() as made:
        with gzip.GzipFile(name, "wb", _LEVEL, made, mtime=0) as packing:
            packing.write(data)
        return made.getvalue()
