from actors.probes.outcome import Reason, Status

from .checking import check, http
from .conftest import Change
from .site import Site, running


def test_an_internal_address_is_blocked_and_says_how_to_allow_it(site: Site, change_settings: Change) -> None:
    change_settings()
    site.answer("/")
    for host in ("127.0.0.1", "localhost", "0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        outcome = http(site.url("/", host), timeout=2)
        assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET), host
        assert "ALLOWED_INTERNAL_TARGETS" in outcome.message
        assert "resolvedIp" not in outcome.details
    assert not site.seen


def test_the_website_check_is_guarded_too(site: Site, change_settings: Change) -> None:
    change_settings()
    assert check("website", site.answer("/")).reason is Reason.BLOCKED_TARGET
    assert not site.seen


def test_a_redirect_to_an_internal_address_is_blocked(site: Site, change_settings: Change) -> None:
    change_settings(ALLOWED_INTERNAL_TARGETS="127.0.0.1")
    with running("127.0.0.2") as internal:
        internal.answer("/secret")
        url = site.answer("/", status=302, Location=internal.url("/secret", "127.0.0.2"))
        outcome = http(url)
        assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.BLOCKED_TARGET)
        assert outcome.details["redirects"] == [{"url": url, "statusCode": 302}]
        assert not internal.seen


def test_an_allowed_network_and_an_allowed_name_may_be_checked(site: Site, change_settings: Change) -> None:
    site.answer("/")
    change_settings(ALLOWED_INTERNAL_TARGETS="127.0.0.0/8")
    assert http(site.url()).status is Status.UP
    change_settings(ALLOWED_INTERNAL_TARGETS="localhost")
    assert http(site.url("/", "localhost"), ipVersion="4").status is Status.UP
    assert http(site.url()).reason is Reason.BLOCKED_TARGET
