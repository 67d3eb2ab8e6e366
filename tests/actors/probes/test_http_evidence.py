import base64
import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import trustme

from actors.probes.http_evidence import MAX_EXCERPT
from actors.probes.outcome import Reason, Status

from .checking import check, http
from .conftest import server_context
from .site import Site, running

SECRET = 'c4n/ry "&ü'


def test_a_failed_check_keeps_what_the_target_said(site: Site) -> None:
    url = site.answer("/", b"<h1>Database\taway</h1>\n", status=500, X_Served_By="node-7", Content_Type="text/html")
    outcome = http(url)
    evidence = outcome.details["evidence"]
    assert evidence["bodyExcerpt"] == "<h1>Database\taway</h1>\n"
    assert evidence["responseHeaders"] == {
        "Content-Length": "23",
        "Connection": "close",
        "X-Served-By": "node-7",
        "Content-Type": "text/html",
    }
    json.dumps(evidence)


def test_a_good_check_keeps_nothing(site: Site) -> None:
    assert "evidence" not in http(site.answer("/", b"well")).details


def test_our_own_errors_keep_nothing(site: Site) -> None:
    assert "evidence" not in http(site.answer("/"), jsonPath="a..[").details


@pytest.mark.parametrize("keyword", ["", "absent"])
def test_the_excerpt_ends_after_two_kilobytes(site: Site, keyword: str) -> None:
    url = site.answer("/", b"word " * 100_000, status=200 if keyword else 500)
    outcome = http(url, keywordInBody=keyword)
    assert outcome.details["evidence"]["bodyExcerpt"] == ("word " * 500)[:MAX_EXCERPT]


def test_the_excerpt_is_decompressed_and_in_the_answers_charset(site: Site) -> None:
    url = site.answer("/", "grün".encode("latin-1"), status=404, Content_Type="text/plain; charset=iso-8859-1")
    assert http(url).details["evidence"]["bodyExcerpt"] == "grün"


def test_a_binary_answer_can_be_stored_as_text(site: Site) -> None:
    excerpt = http(site.answer("/", bytes(range(256)), status=500)).details["evidence"]["bodyExcerpt"]
    assert "\x00" not in excerpt
    assert "\x1b" not in excerpt


def test_headers_that_look_like_credentials_are_hidden(site: Site) -> None:
    url = site.answer("/", status=500, Set_Cookie="session=marker", X_Auth_Token="marker", X_Plain="seen")
    outcome = http(url)
    headers = outcome.details["evidence"]["responseHeaders"]
    assert (headers["Set-Cookie"], headers["X-Auth-Token"], headers["X-Plain"]) == ("…", "…", "seen")
    assert "marker" not in repr(outcome)


def test_where_a_redirect_leads_is_kept_without_its_query(site: Site) -> None:
    outcome = http(site.answer("/", status=302, Location="/login?token=marker"), followRedirects=False)
    assert outcome.details["evidence"]["responseHeaders"]["Location"] == "/login"
    assert "marker" not in repr(outcome)


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        quote(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"ann:{SECRET}".encode()).decode(),
        SECRET.replace("&", "&amp;").replace('"', "&quot;"),
    ],
)
def test_a_target_that_repeats_the_password_does_not_get_it_stored(site: Site, echo: str) -> None:
    url = site.answer("/", f"you said {echo} to us".encode(), status=401)
    outcome = http(url, auth={"type": "basic", "username": "ann", "password": SECRET})
    assert outcome.details["evidence"]["bodyExcerpt"].replace('"', "") == "you said … to us"


def test_tokens_headers_and_urls_that_hold_secrets_are_hidden_when_repeated(site: Site) -> None:
    page = b"t0k3n-marker k3y-marker qu3ry-marker bare-marker"
    url = site.answer("/?api_key=qu3ry-marker", page, status=500, X_Echo="t0k3n-marker and k3y-marker")
    headers = {"X-Api-Key": "k3y-marker", "X-Authorization": "Basic bare-marker"}
    outcome = http(url, headers=headers, auth={"type": "bearer", "token": "t0k3n-marker"})
    assert outcome.details["evidence"]["bodyExcerpt"] == "… … … …"
    assert "marker" not in repr(outcome)


def test_a_secret_that_was_sent_before_a_redirect_is_hidden_behind_it(site: Site, other_site: Site) -> None:
    other_site.answer("/end", b"leaked: t0k3n-marker", status=500)
    url = site.answer("/", status=302, Location=other_site.url("/end"))
    assert "marker" not in repr(http(url, auth={"type": "bearer", "token": "t0k3n-marker"}))


@pytest.mark.parametrize("at", [2030, 2047, 4080, 4090])
def test_a_secret_cut_in_two_by_the_end_of_the_excerpt_is_hidden(site: Site, at: int) -> None:
    secret = "s3cr" + "x" * 200
    outcome = http(site.answer("/", b"a" * at + secret.encode(), status=500), auth={"type": "bearer", "token": secret})
    assert "s3cr" not in repr(outcome)


def test_a_long_secret_that_runs_out_of_what_was_kept_is_hidden(site: Site) -> None:
    secret = "s3cr" + "x" * 6000
    outcome = http(
        site.answer("/", b"a" * 2000 + secret.encode(), status=500), auth={"type": "bearer", "token": secret}
    )
    assert outcome.details["evidence"]["bodyExcerpt"] == "a" * 2000 + "…"


@pytest.mark.parametrize(
    "page",
    ['{"access_token": "marker"}', "password=marker&x=1", "Authorization: Bearer marker", "client_secret : 'marker'"],
)
def test_secrets_of_others_are_hidden_where_they_have_a_name(site: Site, page: str) -> None:
    outcome = http(site.answer("/", page.encode(), status=500))
    assert "marker" not in repr(outcome)
    assert "…" in outcome.details["evidence"]["bodyExcerpt"]


@pytest.mark.parametrize("piece", [b"x", b"token", b'passw="', b"a-", b"token   ", b"bearer ", b"\xff", b"\n"])
def test_no_page_can_make_the_search_for_secrets_slow(site: Site, piece: bytes) -> None:
    started = time.process_time()
    outcome = http(site.answer("/", piece * 5000, status=500), auth={"type": "bearer", "token": "s" * 4000})
    assert outcome.status is Status.DOWN
    assert time.process_time() - started < 1


def test_thousands_of_headers_are_cut_to_what_a_person_reads(site: Site) -> None:
    raw = b"HTTP/1.1 500 Word\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 500) for n in range(500)) + b"\r\n"
    outcome = http(site.script("/", lambda connection: connection.sendall(raw)))
    assert len(json.dumps(outcome.details)) < 15_000
    assert len(outcome.details["evidence"]["responseHeaders"]) == 40


@pytest.mark.usefixtures("trusted")
def test_the_chain_of_a_refused_certificate_is_kept(authority: trustme.CA) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    with running(tls=server_context(old)) as site:
        outcome = check("website", site.answer("/"))
    assert outcome.reason is Reason.TLS_ERROR
    chain = outcome.details["evidence"]["certificateChain"]
    assert "Testing Authority" in chain[0]["issuer"]
    assert datetime.fromisoformat(chain[0]["validTo"]) < datetime.now(UTC)
