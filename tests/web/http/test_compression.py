"""Compressed answers, as a browser asks for them."""

import gzip

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from web.http import compression

TEXT = "A monitor is up. " * 500


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    compression.init_app(made)

    @made.get("/page")
    def page() -> Response:
        answer = Response(TEXT, mimetype="text/html")
        answer.set_etag("of-this-text")
        return answer

    @made.get("/events")
    def events() -> Response:
        return Response(iter([TEXT]), mimetype="text/event-stream")

    @made.get("/picture")
    def picture() -> Response:
        return Response(TEXT.encode(), mimetype="image/png")

    @made.get("/short")
    def short() -> Response:
        return Response("OK", mimetype="text/plain")

    return made


def ask(app: Flask, path: str, method: str = "GET", **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Response = app.test_client().open(path, method=method, headers={"Accept-Encoding": "gzip, br"} | names)
    return answer


def test_a_page_is_compressed_and_says_so(app: Flask) -> None:
    answer = ask(app, "/page")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(answer.vary)
    assert gzip.decompress(answer.data).decode() == TEXT
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(TEXT) / 5
    assert answer.headers["ETag"] == 'W/"of-this-text"'
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_browser_on_our_own_pages_gets_compressed_answers(app: Flask, site: str) -> None:
    assert ask(app, "/page", Sec_Fetch_Site=site).content_encoding == "gzip"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "of-tomorrow"])
def test_what_another_site_asks_for_is_not_compressed(app: Flask, site: str) -> None:
    answer = ask(app, "/page", Sec_Fetch_Site=site)
    assert (answer.content_encoding, answer.text) == (None, TEXT)


@pytest.mark.parametrize("path", ["/events", "/picture", "/short"])
def test_streams_pictures_and_short_answers_are_left_as_they_are(app: Flask, path: str) -> None:
    assert ask(app, path).content_encoding is None


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_plain_text(app: Flask, accepted: str) -> None:
    answer = ask(app, "/page", Accept_Encoding=accepted)
    assert (answer.content_encoding, answer.text) == (None, TEXT)


def test_the_length_of_a_page_varies(app: Flask) -> None:
    assert len({len(ask(app, "/page").data) for _ in range(40)}) > 5


@given(st.binary(max_size=3000))
def test_whatever_is_compressed_comes_back(data: bytes) -> None:
    assert gzip.decompress(compression.compressed(data)) == data
