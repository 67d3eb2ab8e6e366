import pytest

from actors.probes import http_request
from actors.probes.outcome import Reason, Status

from .checking import http
from .site import Site


def test_redirects_are_followed_and_listed(site: Site) -> None:
    site.answer("/end", b"arrived")
    site.answer("/middle?token=s3cret", status=301, Location="/end")
    outcome = http(site.answer("/", status=302, Location="/middle?token=s3cret"), keywordInBody="arrived")
    assert outcome.status is Status.UP
    assert outcome.details["redirects"] == [
        {"url": site.url("/"), "statusCode": 302},
        {"url": site.url("/middle"), "statusCode": 301},
    ]


def test_a_redirect_is_the_answer_where_following_is_off(site: Site) -> None:
    url = site.answer("/", status=302, Location="/end")
    outcome = http(url, followRedirects=False)
    assert (outcome.reason, outcome.details["statusCode"]) == (Reason.UNEXPECTED_STATUS, 302)
    assert http(url, followRedirects=False, expectedStatusCodes="302").status is Status.UP


def test_a_loop_ends_at_the_limit(site: Site) -> None:
    outcome = http(site.answer("/", status=302, Location="/"), maxRedirects=3)
    assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.TOO_MANY_REDIRECTS)
    assert outcome.message == "The response still redirects after 3 redirects."
    assert len(site.seen) == 4


def test_no_redirect_is_followed_where_none_is_allowed(site: Site) -> None:
    outcome = http(site.answer("/", status=302, Location="/end"), maxRedirects=0)
    assert outcome.reason is Reason.TOO_MANY_REDIRECTS
    assert len(site.seen) == 1


def test_exactly_as_many_redirects_as_allowed_are_followed(site: Site) -> None:
    site.answer("/end")
    assert http(site.answer("/", status=302, Location="/end"), maxRedirects=1).status is Status.UP


def test_a_redirect_to_another_protocol_is_refused(site: Site) -> None:
    for place in ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x"):
        outcome = http(site.answer("/", status=302, Location=place))
        assert (outcome.status, outcome.reason) == (Status.DOWN, Reason.PROTOCOL_ERROR)


def test_credentials_do_not_leave_their_origin(site: Site, other_site: Site) -> None:
    site.answer("/", status=307, Location=other_site.answer("/end"))
    headers = {"X-Api-Key": "s3cret", "Cookie": "session=s3cret", "Accept": "text/plain", "Authorization": "s3cret"}
    assert http(site.url("/"), headers=headers).status is Status.UP
    assert site.seen[0].headers["x-api-key"] == "s3cret"
    assert other_site.seen[0].headers["accept"] == "text/plain"
    assert "s3cret" not in repr(other_site.seen)


@pytest.mark.parametrize("status", [307, 308])
def test_another_origin_gets_neither_the_body_nor_headers_of_the_users_own(
    site: Site, other_site: Site, status: int
) -> None:
    site.answer("/", status=status, Location=other_site.answer("/end"))
    headers = {"X-Customer": "s3cret", "Accept": "text/plain", "Content-Language": "s3cret"}
    http(site.url("/"), method="POST", headers=headers, body="pin=s3cret")
    assert site.seen[0].headers["x-customer"] == "s3cret"
    [seen] = other_site.seen
    assert (seen.method, seen.headers["accept"]) == ("POST", "text/plain")
    assert "s3cret" not in repr(seen)


def test_the_same_host_over_https_gets_what_was_meant_for_it() -> None:
    request = http_request.Request(
        "http://a.test/", http_request.Origin("http", "a.test", 80), "POST", (("X-Customer", "7"), ("X-Pin", "1")), b"x"
    )
    upgraded = request.redirected(308, "https://a.test/")
    assert (upgraded.body, upgraded.headers) == (b"x", (("X-Customer", "7"),))
    for elsewhere in ("https://b.test/", "https://a.test:8443/", "http://a.test:81/"):
        assert (request.redirected(308, elsewhere).body, request.redirected(308, elsewhere).headers) == (None, ())


def test_logins_do_not_leave_their_origin(site: Site, other_site: Site) -> None:
    site.answer("/", status=302, Location=other_site.answer("/end"))
    for auth in (
        {"type": "basic", "username": "ann", "password": "s3cret"},
        {"type": "bearer", "token": "s3cret"},
    ):
        assert http(site.url("/"), auth=auth).status is Status.UP
        assert "authorization" in site.seen[-1].headers
        assert "authorization" not in other_site.seen[-1].headers


def test_logins_stay_on_their_own_origin(site: Site) -> None:
    site.answer("/", status=302, Location="/end")
    site.answer("/end")
    http(site.url("/"), auth={"type": "basic", "username": "ann", "password": "s3cret"})
    assert "authorization" in site.seen[1].headers


def test_a_post_becomes_a_get_after_302_and_stays_after_307(site: Site) -> None:
    site.answer("/end")
    for status, method, body in ((302, "GET", b""), (303, "GET", b""), (307, "POST", b"a=1"), (308, "POST", b"a=1")):
        http(site.answer("/", status=status, Location="/end"), method="POST", body="a=1")
        assert (site.seen[-1].method, site.seen[-1].body) == (method, body)


def test_a_cookie_that_comes_with_a_redirect_is_sent_back(site: Site) -> None:
    site.answer("/end")
    http(site.answer("/", status=302, Location="/end", Set_Cookie="visited=yes"))
    assert site.seen[1].headers.get("cookie") == "visited=yes"


def test_all_hops_share_one_deadline(site: Site) -> None:
    def slow(connection: object) -> None:
        site.stopping.wait(0.3)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]

    outcome = http(site.script("/", slow), timeout=0.7, maxRedirects=20)
    assert outcome.reason is Reason.READ_TIMEOUT
    assert outcome.response_time_ms is not None
    assert outcome.response_time_ms < 1500


def test_the_body_of_a_redirect_that_is_followed_need_not_be_readable(site: Site) -> None:
    site.answer("/end", b"arrived")
    url = site.answer("/", b"Moved", status=301, Location="/end", Content_Encoding="gzip")
    assert http(url, keywordInBody="arrived").status is Status.UP
    assert http(url, followRedirects=False, expectedStatusCodes="301").reason is Reason.PROTOCOL_ERROR
