import json
import socket

import pytest
import trustme

from actors.probes.outcome import Reason, Status

from .checking import check, http
from .conftest import server_context
from .site import Site, running


def test_an_answer_of_200_is_up_with_its_phases(site: Site) -> None:
    outcome = http(site.answer("/", b"hello"))
    assert (outcome.status, outcome.reason, outcome.message) == (Status.UP, None, "")
    assert outcome.details["statusCode"] == 200
    assert outcome.details["resolvedIp"] == "127.0.0.1"
    assert list(outcome.details["timings"]) == ["connectMs", "firstByteMs", "downloadMs"]
    assert outcome.response_time_ms == pytest.approx(sum(outcome.details["timings"].values()), abs=0.1)
    assert "redirects" not in outcome.details
    json.dumps(outcome.details)


def test_phases_that_did_not_take_place_are_absent(site: Site, authority: trustme.CA) -> None:
    by_name = http(site.answer("/").replace("127.0.0.1", "localhost"))
    assert list(by_name.details["timings"]) == ["dnsMs", "connectMs", "firstByteMs", "downloadMs"]
    with running(tls=server_context(authority.issue_cert("127.0.0.1"))) as secure:
        over_tls = http(secure.answer("/"), verifyTls=False)
    assert list(over_tls.details["timings"]) == ["connectMs", "tlsMs", "firstByteMs", "downloadMs"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert http(f"http://127.0.0.1:{port}/").details["timings"] == {}


def test_a_status_outside_the_default_is_down(site: Site) -> None:
    outcome = http(site.answer("/", status=500))
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.UNEXPECTED_STATUS)
    assert outcome.message == "HTTP 500 received, expected 200-299."
    assert outcome.response_time_ms is not None
    assert outcome.details["statusCode"] == 500


@pytest.mark.parametrize(("codes", "up"), [("5xx", True), ("200,500-503", True), ("2xx,404", False)])
def test_expected_status_codes_are_lists_ranges_and_wildcards(site: Site, codes: str, up: bool) -> None:
    outcome = http(site.answer("/", status=502), expectedStatusCodes=codes)
    assert (outcome.status is Status.UP) is up


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_every_method_arrives_as_itself(site: Site, method: str) -> None:
    assert http(site.answer("/"), method=method).status is Status.UP
    assert site.seen[0].method == method


def test_a_body_and_headers_arrive_with_a_detected_content_type(site: Site) -> None:
    http(site.answer("/"), method="POST", body='{"a": "é"}', headers={"X-One": "1", "X-Empty": ""})
    seen = site.seen[0]
    assert seen.body.decode() == '{"a": "é"}'
    assert seen.headers["content-type"] == "application/json"
    assert (seen.headers["x-one"], seen.headers["x-empty"]) == ("1", "")
    assert "expect" not in seen.headers


def test_the_users_content_type_wins(site: Site) -> None:
    http(site.answer("/"), method="PUT", body="{}", headers={"content-type": "application/vnd.x+json"})
    assert site.seen[0].headers["content-type"] == "application/vnd.x+json"


def test_a_post_without_a_body_declares_none(site: Site) -> None:
    http(site.answer("/"), method="POST")
    assert site.seen[0].headers["content-length"] == "0"
    assert "content-type" not in site.seen[0].headers


def test_a_website_is_always_a_plain_get(site: Site) -> None:
    assert check("website", site.answer("/"), method="POST", body="x", headers={"X-One": "1"}).status is Status.UP
    assert site.seen[0].method == "GET"
    assert "x-one" not in site.seen[0].headers


@pytest.mark.parametrize("name", ["Bad Name", "Bad:Name", "", "X\r\nY"])
def test_a_header_that_would_break_the_request_is_refused(site: Site, name: str) -> None:
    outcome = http(site.answer("/"), headers={name: "secret-value"})
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.INVALID_CONFIG)
    assert "secret-value" not in outcome.message
    assert not site.seen


def test_a_header_value_cannot_smuggle_a_second_header(site: Site) -> None:
    assert http(site.answer("/"), headers={"X-One": "1\r\nX-Two: 2"}).reason is Reason.INVALID_CONFIG
    assert not site.seen


def test_basic_authentication_is_sent(site: Site) -> None:
    http(site.answer("/"), auth={"type": "basic", "username": "an:n", "password": "pä ss"})
    assert site.seen[0].headers["authorization"] == "Basic YW46bjpww6Qgc3M="


@pytest.mark.parametrize(
    "auth", [{"type": "basic", "username": "anna", "password": "secret"}, {"type": "bearer", "token": "t0ken"}]
)
def test_the_login_replaces_a_header_of_its_name(site: Site, auth: dict[str, str]) -> None:
    http(site.answer("/"), auth=auth, headers={"authorization": "Other"})
    assert site.seen[0].headers["authorization"] in {"Basic YW5uYTpzZWNyZXQ=", "Bearer t0ken"}


def test_a_bearer_token_is_sent(site: Site) -> None:
    http(site.answer("/"), auth={"type": "bearer", "token": "t0ken"})
    assert site.seen[0].headers["authorization"] == "Bearer t0ken"


def test_user_info_in_the_url_is_a_login_and_is_never_shown(site: Site) -> None:
    site.answer("/", status=500)
    outcome = http(f"http://ann:s%20cret@127.0.0.1:{site.port}/")
    assert site.seen[0].headers["authorization"] == "Basic YW5uOnMgY3JldA=="
    assert "cret" not in repr(outcome)


def test_a_keyword_that_is_there_is_up(site: Site) -> None:
    assert http(site.answer("/", b"all is well"), keywordInBody="is well").status is Status.UP


def test_a_missing_keyword_is_down(site: Site) -> None:
    outcome = http(site.answer("/", b"all is bad"), keywordInBody="well")
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.KEYWORD_MISSING)
    assert outcome.message == "Keyword “well” not found in the response."


def test_a_forbidden_keyword_is_down(site: Site) -> None:
    url = site.answer("/", b"a fatal error")
    outcome = http(url, keywordInBody="fatal", keywordInBodyShouldBePresent=False)
    assert outcome.reason is Reason.KEYWORD_PRESENT
    assert http(url, keywordInBody="splendid", keywordInBodyShouldBePresent=False).status is Status.UP


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16", "shift_jis;x", "no-such-charset"])
def test_the_keyword_is_found_in_the_charset_of_the_answer(site: Site, charset: str) -> None:
    word = "日本" if charset.startswith("shift") else "grün"
    codec = {"shift_jis;x": "shift_jis", "no-such-charset": "utf-8"}.get(charset, charset)
    url = site.answer("/", f"<p>{word}</p>".encode(codec), Content_Type=f"text/html; charset={charset}")
    assert http(url, keywordInBody=word).status is Status.UP


def test_a_json_path_is_compared_with_what_is_expected(site: Site) -> None:
    url = site.answer("/", b'{"queue": {"depth": 7}}')
    assert http(url, jsonPath="$.queue.depth", jsonPathExpected=7).status is Status.UP
    outcome = http(url, jsonPath="$.queue.depth", jsonPathExpected={"op": "lt", "value": 5})
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.JSON_PATH_MISMATCH)
    assert outcome.message == "The JSON path $.queue.depth returned 7, expected less than 5."


def test_a_json_path_is_evaluated_in_a_large_answer_too(site: Site) -> None:
    url = site.answer("/", json.dumps({"pad": "x" * 200_000, "ok": True}).encode())
    assert http(url, jsonPath="$.ok", jsonPathExpected=True).status is Status.UP


def test_an_unreadable_json_path_is_an_error_not_an_outage(site: Site) -> None:
    outcome = http(site.answer("/", b"{}"), jsonPath="queue..[")
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.INVALID_CONFIG)


def test_an_answer_slower_than_allowed_is_down(site: Site) -> None:
    def slow(connection: socket.socket) -> None:
        site.stopping.wait(0.1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    outcome = http(site.script("/", slow), maxResponseTimeMs=50)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.RESPONSE_TOO_SLOW)


def test_ipv6_is_spoken() -> None:
    with running("::1") as site:
        site.answer("/")
        outcome = http(site.url("/", "[::1]"))
    assert outcome.status is Status.UP
    assert outcome.details["resolvedIp"] == "::1"


def test_the_ip_version_is_obeyed(site: Site) -> None:
    site.answer("/")
    assert http(site.url("/", "localhost"), ipVersion="4").status is Status.UP
    assert http(site.url("/", "localhost"), ipVersion="6").status is Status.DOWN


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://[::1", "http://a:b/"]
)
def test_a_target_that_is_no_web_address_is_an_error(url: str) -> None:
    outcome = http(url)
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.INVALID_CONFIG)


def test_letters_beyond_ascii_in_the_path_are_escaped(site: Site) -> None:
    site.answer("/gr%C3%BC%20n?q=%20")
    assert http(site.url("/grü n?q=%20")).status is Status.UP


def test_the_environments_proxy_is_not_used(site: Site, other_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_site.url())
    assert http(site.answer("/")).status is Status.UP
    assert not other_site.seen
