"""Gzip compression of text responses, except where it could reveal a secret.

The length of a compressed page depends on what repeats in it. An attacker who makes a browser send many requests with
guesses, and sees the lengths of the responses, can learn secrets (the BREACH attack). Such requests come from another
site, which browsers report in `Sec-Fetch-Site`: their responses are not compressed. All other compressed responses
contain a filler of random length.
"""

import gzip
import io
import secrets

from flask import Flask, Response, request

#: Shorter responses fit into one packet without compression.
MIN_BYTES = 1000
_LEVEL = 5
_FILLER_BYTES = 64
_TYPES = {
    "application/json",
    "application/javascript",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
}
_SAME_SITE = {"same-origin", "none"}


def init_app(app: Flask) -> None:
    """Compress the responses of `app`. Call it before other code adds `after_request` functions: they run in reverse."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if not _is_text(response.mimetype):
        return response
    if response.mimetype == "text/html":
        # A page is specific to a person and may change at any time. An unchanged page with an ETag is not sent again.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.add("Accept-Encoding")
    response.vary.add("Sec-Fetch-Site")
    if not _is_wanted(response):
        return response
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < MIN_BYTES:
        return response
    response.set_data(compressed(data))
    response.content_encoding = "gzip"
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)  # the bytes have changed
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
        and request.headers.get("Sec-Fetch-Site", "none") in _SAME_SITE
    )


def compressed(data: bytes) -> bytes:
    """Return `data` as gzip, with a file name of random length, which readers ignore."""
    name = secrets.token_hex(_FILLER_BYTES)[: secrets.randbelow(2 * _FILLER_BYTES)]
    with io.BytesIO() as buffer:
        with gzip.GzipFile(name, "wb", _LEVEL, buffer, mtime=0) as compressor:
            compressor.write(data)
        return buffer.getvalue()
