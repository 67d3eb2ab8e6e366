"""Every header of every mail, read by a strict parser; and nothing in it that is not ours."""

import base64
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

import settings
from notifications import Notice, NotificationError, email
from notifications.mail import Mail
from notifications.plain import line
from tests.notifications import strict_mail
from tests.notifications.notices import MONITOR_ID, flood, outage, recovery
from tests.notifications.strict_mail import Parsed

LONG_DOMAIN = "alerts.monitoring.department-of-operations.a-rather-long-company-name.example"
#: An encoded word whose decoded text ends the header and begins others, and the body.
INJECTION = "=?utf-8?b?" + base64.b64encode(b"x\r\nReply-To: spy@evil.test\r\n\r\nPay here").decode() + "?="
TEXTS = st.text(max_size=150) | st.sampled_from(
    [
        INJECTION,
        f"a {INJECTION} b",
        "=?utf-8?q?=0D=0ABcc:_spy@evil.test?=",
        "=?",
        "?=",
        "=?utf-8?q?half",
        "Zoë" * 40,
        "x" * 200,
    ]
)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=6).map(".".join) | st.just(LONG_DOMAIN)
ATEXT = st.sampled_from("abcXYZ019!#$%&'*+-/=?^_`{|}~.")
USERNAMES = st.text(ATEXT, min_size=1, max_size=64)


def _parsed(notice: Notice, **changes: Any) -> Parsed:
    config = {"to": ["ops@example.com"], "from": "watch@example.org"} | changes
    made = email.compose(notice, config, settings.parse({}))
    return strict_mail.parse(made.as_bytes(made.recipients, utf8=False))


def _named(name: str, **changes: Any) -> Notice:
    return outage(
        monitor=outage().monitor.__class__(MONITOR_ID, name, "website", name, "https://watch.example/"), **changes
    )


@pytest.mark.parametrize("domain", ["a.example", "x" * 30 + ".example", LONG_DOMAIN, ".".join(["x" * 60] * 4)])
def test_the_thread_holds_however_long_the_senders_domain_is(domain: str) -> None:
    first, second, end = (
        _parsed(notice, **{"from": f"watch@{domain}"}) for notice in (outage(alert_number=1), outage(), recovery())
    )
    root = first.headers["Message-ID"]
    assert root.endswith(f"@{domain}>")
    for answer in (second, end):
        assert answer.headers["In-Reply-To"] == answer.headers["References"] == root
        assert answer.text("Subject") == "Re: " + first.text("Subject")


@examples(deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 3))
@example(INJECTION, INJECTION, 1)
def test_a_name_is_in_the_subject_as_it_is_and_nowhere_else_in_the_head(name: str, project: str, number: int) -> None:
    mail = _parsed(_named(name, alert_number=number, project=project))
    shown = line(name, 120) or "A monitor"
    assert mail.text("Subject").removeprefix("Re: ") == f"{shown}: outage of 2026-03-01 12:24 UTC"
    assert "evil.test" not in "".join(mail.headers[one] for one in mail.headers.keys() - {"Subject"})


@examples(deadline=None)
@given(TEXTS)
@example(INJECTION)
def test_subjects_of_tests_summaries_and_certificates_hold_as_well(text: str) -> None:
    for notice in (_named(text, event="monitor.ssl_expiring", down_since=None), flood(3, text, project=text)):
        mail = _parsed(notice)
        assert line(text, 80).rstrip("…") in mail.text("Subject")


@examples(deadline=None)
@given(st.lists(st.tuples(TEXTS, USERNAMES, DOMAINS), min_size=1, max_size=5), TEXTS, DOMAINS)
def test_names_and_addresses_are_in_to_and_from_as_they_are(
    people: list[tuple[str, str, str]], sender: str, domain: str
) -> None:
    made = Mail(
        sender=Address(line(sender, 100), "watch", domain),
        recipients=tuple(Address(line(name, 300), username, host) for name, username, host in people),
        subject="s",
        identifiers=(("Message-ID", f"<1@{domain}>"),),
        others=(
            ("Date", "Sun, 01 Mar 2026 12:30:05 +0000"),
            *((name, "x") for name in sorted(strict_mail.REQUIRED) if name.startswith(("X-", "Auto"))),
        ),
        delivery="1",
        body=_body(),
    )
    mail = strict_mail.parse(made.as_bytes(made.recipients, utf8=False))
    assert mail.mailboxes("From") == [(line(sender, 100), f"watch@{domain}")]
    read = [(name, address.replace('"', "")) for name, address in mail.mailboxes("To")]
    assert read == [(line(name, 300), f"{username}@{host}") for name, username, host in people]


def _body() -> EmailMessage:
    body = EmailMessage()
    body.set_content("text")
    body.add_alternative("<p>text</p>", subtype="html")
    return body


@pytest.mark.parametrize(
    "value",
    [
        "<1@a>\r\nBcc: spy@evil.test",
        "<1@a>\r\n\r\nbody",
        "<1@a>\nBcc: x@evil.test",
        "<1@a>\rx",
        "<1@a>\r\n \r\n",
        "x" * 999,
    ],
)
def test_a_message_whose_head_holds_other_lines_than_ours_is_not_sent(value: str) -> None:
    made = email.compose(outage(), {"to": "ops@example.com", "from": "watch@example.org"}, settings.parse({}))
    broken = Mail(
        made.sender, made.recipients, made.subject, (("Message-ID", value),), made.others, made.delivery, made.body
    )
    with pytest.raises(NotificationError, match="was not sent") as raised:
        broken.as_bytes(broken.recipients, utf8=False)
    assert raised.value.permanent


def test_a_body_that_brings_headers_of_its_own_is_not_sent() -> None:
    made = email.compose(outage(), {"to": "ops@example.com", "from": "watch@example.org"}, settings.parse({}))
    made.body["Reply-To"] = "spy@evil.test"
    with pytest.raises(NotificationError, match="was not sent"):
        made.as_bytes(made.recipients, utf8=False)
