"""The e-mail channel against a local SMTP server."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import trustme
from aiosmtpd.controller import Controller

import settings
from notifications import NotificationError, email
from tests.notifications.conftest import Configure, server_context
from tests.notifications.mailbox import Delivered, Mailbox, authenticate
from tests.notifications.notices import flood, hostile, outage, recovery


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _serving(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A server's port; aiosmtpd cannot be asked which port it was given, so one is found beforehand."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def mailbox(configure: Configure) -> Mailbox:
    return Mailbox()


@pytest.fixture
def config(mailbox: Mailbox) -> Iterator[dict[str, Any]]:
    """A provider's config for `mailbox` without encryption."""
    with _serving(mailbox) as port:
        yield {
            "to": ["ops@example.com"],
            "smtpHost": "127.0.0.1",
            "smtpPort": port,
            "smtpSecurity": "none",
            "from": "watch@example.org",
        }


def _parts(delivered: Delivered) -> tuple[str, str]:
    """Text and HTML of a mail, with normalised line endings."""
    text, html = (delivered.mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content()


def test_a_mail_says_what_since_when_why_and_from_where_in_both_parts(mailbox: Mailbox, config: dict[str, Any]) -> None:
    email.send(outage(), config)
    delivered = mailbox.delivered[0]
    assert delivered.mail["Subject"] == "Re: Shop front: outage of 2026-03-01 12:24 UTC"
    assert delivered.mail["X-Supercheck-Event"] == "monitor.down"
    assert delivered.mail["From"] == "Supercheck <watch@example.org>"
    assert delivered.mail["Date"] == "Sun, 01 Mar 2026 12:30:05 +0000"
    assert (delivered.envelope_from, delivered.envelope_to) == ("watch@example.org", ["ops@example.com"])
    for part in _parts(delivered):
        for said in (
            "503, expected was 200-299",
            "2026-03-01 12:24:53 UTC",
            "5 minutes 12 seconds",
            "UNEXPECTED_STATUS",
            "1,234 ms",
            "2 of 3",
            "us-east: down, 1,234 ms, 503 Service Unavailable",
            "Call the shop team.\nThen look",
            "https://watch.example/monitors/11111111-1111-4111-8111-111111111111",
        ):
            assert said in part.replace("\r\n", "\n")


def test_the_html_part_loads_nothing_from_elsewhere_and_knows_the_dark(
    mailbox: Mailbox, config: dict[str, Any]
) -> None:
    email.send(outage(), config)
    _, html = _parts(mailbox.delivered[0])
    assert "prefers-color-scheme: dark" in html
    assert 'content="light dark"' in html
    for loader in ("<img", "<link", "src=", "url(", "@import", "<script"):
        assert loader not in html


def test_the_first_alert_of_an_outage_is_the_root_of_its_thread(mailbox: Mailbox, config: dict[str, Any]) -> None:
    first = outage(alert_number=1)
    second = outage(delivery_id=UUID(int=2))
    up = recovery(delivery_id=UUID(int=3), sent_at=first.sent_at + timedelta(hours=1))
    other = outage(alert_number=1, down_since=outage().sent_at)
    for notice in (first, second, up, other):
        email.send(notice, config)
    mails = [delivered.mail for delivered in mailbox.delivered]
    root = mails[0]["Message-ID"]
    assert [mail["References"] for mail in mails] == [None, root, root, None]
    assert [mail["In-Reply-To"] for mail in mails] == [None, root, root, None]
    assert len({mail["Message-ID"] for mail in mails}) == 4
    subject = "Shop front: outage of 2026-03-01 12:24 UTC"
    assert [mail["Subject"] for mail in mails[:3]] == [subject, f"Re: {subject}", f"Re: {subject}"]
    assert mails[3]["Subject"] != subject


def test_the_thread_is_the_same_in_whatever_zone_the_beginning_was_written(
    mailbox: Mailbox, config: dict[str, Any]
) -> None:
    began = outage().down_since
    assert began is not None
    for notice in (outage(), outage(down_since=began.astimezone(timezone(timedelta(hours=2))))):
        email.send(notice, config)
    roots = [(delivered.mail["References"], delivered.mail["Subject"]) for delivered in mailbox.delivered]
    assert roots[0] == roots[1]


def test_what_belongs_to_no_outage_is_no_answer_to_anything(mailbox: Mailbox, config: dict[str, Any]) -> None:
    email.send(outage(event="monitor.ssl_expiring", down_since=None), config)
    mail = mailbox.delivered[0].mail
    assert mail["Subject"] == "🟡 The certificate of Shop front expires soon"
    assert mail["References"] is None


def test_a_summary_lists_names_reasons_and_links_in_both_parts(mailbox: Mailbox, config: dict[str, Any]) -> None:
    email.send(flood(130), config)
    assert mailbox.delivered[0].mail["Subject"] == "🔴 Web shop: 65 down, 65 up again"
    for part in _parts(mailbox.delivered[0]):
        assert "Node 0" in part
        assert "https://watch.example/monitors/0" in part
        assert "The connection was refused." in part
        assert "and 30 more" in part
        assert "https://watch.example/" in part
    assert len(_parts(mailbox.delivered[0])[1].encode()) < 102_000


def test_the_message_id_is_that_of_the_delivery_and_the_same_at_a_retry(
    mailbox: Mailbox, config: dict[str, Any]
) -> None:
    email.send(outage(), config)
    email.send(outage(), config)
    ids = {delivered.mail["Message-ID"] for delivered in mailbox.delivered}
    assert ids == {"<33333333-3333-4333-8333-333333333333@example.org>"}
    assert {delivered.mail["Auto-Submitted"] for delivered in mailbox.delivered} == {"auto-generated"}


@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_add_no_header_and_no_markup(mailbox: Mailbox, config: dict[str, Any], length: int) -> None:
    email.send(hostile(length), config)
    delivered = mailbox.delivered[0]
    assert delivered.envelope_to == ["ops@example.com"]
    assert "Bcc" not in delivered.mail
    assert len(delivered.mail.get_all("Subject", [])) == 1
    _, html = _parts(delivered)
    assert "<script>" not in html
    assert 'href="http://evil' not in html
    assert "{{7*7}}" in html
    assert "\u202e" not in html


@pytest.mark.parametrize(
    "address",
    [
        "ops@example.com\r\nBcc: spy@evil.test",
        "ops@example.com\nRCPT TO:<spy@evil.test>",
        "ops@example.com>, <spy@evil.test",
        "ops@example.com, zoe@example.com",
        "no address",
        "@example.com",
        "ops@",
        "",
        None,
        7,
    ],
)
@pytest.mark.parametrize("role", ["to", "from"])
def test_addresses_that_are_none_are_refused_before_connecting(
    mailbox: Mailbox, config: dict[str, Any], address: Any, role: str
) -> None:
    config |= {role: [address] if role == "to" else address}
    with pytest.raises(NotificationError) as raised:
        email.send(outage(), config)
    assert raised.value.permanent
    assert mailbox.hellos == []


def test_several_recipients_and_names_are_kept(mailbox: Mailbox, config: dict[str, Any]) -> None:
    config |= {"to": ["Ops, Team <ops@example.com>", '"Zoë" <zoe@example.com>'], "from": "Wächter <watch@example.org>"}
    email.send(outage(), config)
    delivered = mailbox.delivered[0]
    assert delivered.envelope_to == ["ops@example.com", "zoe@example.com"]
    assert delivered.mail["From"].addresses[0].display_name == "Wächter"


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r'"Ann \"Ops\""', 'Ann "Ops"'), (r'"back\\slash"', "back\\slash"), ('"Zoë"', "Zoë"), ('Ann "Ops', 'Ann "Ops')],
)
def test_a_quoted_name_of_a_sender_is_read_as_it_is_meant(
    mailbox: Mailbox, config: dict[str, Any], written: str, meant: str
) -> None:
    email.send(outage(), config | {"from": f"{written} <watch@example.org>"})
    assert mailbox.delivered[0].mail["From"].addresses[0].display_name == meant


def test_starttls_with_a_trusted_certificate_signs_in_and_delivers(mailbox: Mailbox, trusted: trustme.CA) -> None:
    context = server_context(trusted, "localhost")
    with _serving(mailbox, tls_context=context, require_starttls=True, authenticator=authenticate) as port:
        config = {
            "to": ["ops@example.com"],
            "smtpHost": "localhost",
            "smtpPort": port,
            "username": "alerts",
            "password": "s3cret-pass",
            "from": "watch@example.org",
        }
        email.send(outage(), config)
        with pytest.raises(NotificationError, match="535") as raised:
            email.send(outage(), config | {"password": "wrong-pass"})
    assert raised.value.permanent
    assert "wrong-pass" not in str(raised.value)
    assert [(one.tls, one.login) for one in mailbox.delivered] == [(True, b"s3cret-pass")]


def test_tls_from_the_start_delivers(mailbox: Mailbox, trusted: trustme.CA) -> None:
    with _serving(mailbox, ssl_context=server_context(trusted, "localhost")) as port:
        config = {"to": "ops@example.com", "smtpHost": "localhost", "smtpPort": port, "smtpSecurity": "tls"}
        email.send(outage(), config | {"from": "watch@example.org"})
    assert len(mailbox.delivered) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("straße.services.test", "xn--strae-oqa.services.test"),
        ("☕.services.test", "xn--53h.services.test"),
        ("mx.services.test.", "mx.services.test."),
    ],
)
def test_a_server_beyond_ascii_is_found_and_trusted_by_the_name_that_browsers_use(
    host: str, asked: str, security: str, mailbox: Mailbox, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, names = socket.getaddrinfo, []

    def loopback(name: str, port: int, *args: Any, **kwargs: Any) -> Any:
        names.append(name)
        return real("127.0.0.1", port, *args, **kwargs)

    # The library that makes certificates knows no emoji: a pattern covers them.
    context = server_context(trusted, "*.services.test")
    with _serving(mailbox, **{"ssl_context" if security == "tls" else "tls_context": context}) as port:
        config = {"to": "ops@example.com", "smtpHost": host, "smtpPort": port, "smtpSecurity": security}
        monkeypatch.setattr(socket, "getaddrinfo", loopback)
        email.send(outage(), config | {"from": "watch@example.org"})
    assert names == [asked]
    assert len(mailbox.delivered) == 1


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("☕.example", "xn--53h.example"),
        ("faß.example", "xn--fa-hia.example"),
    ],
)
def test_mail_goes_to_the_domain_that_browsers_would_ask(
    domain: str, expected: str, mailbox: Mailbox, config: dict[str, Any]
) -> None:
    email.send(outage(), config | {"to": [f"ops@{domain}"], "from": f"watch@{domain}"})
    assert mailbox.delivered[0].envelope_to == [f"ops@{expected}"]
    assert mailbox.delivered[0].envelope_from == f"watch@{expected}"
    assert mailbox.hellos == [expected]


def test_a_certificate_for_another_name_is_not_trusted(mailbox: Mailbox, trusted: trustme.CA) -> None:
    with _serving(mailbox, tls_context=server_context(trusted, "other.example")) as port:
        config = {"to": "ops@example.com", "smtpHost": "localhost", "smtpPort": port, "from": "watch@example.org"}
        with pytest.raises(NotificationError, match="localhost has an untrusted certificate: Hostname mismatch"):
            email.send(outage(), config)
    assert mailbox.delivered == []


def test_without_starttls_on_offer_nothing_is_sent_in_the_clear(mailbox: Mailbox, config: dict[str, Any]) -> None:
    with pytest.raises(NotificationError, match="STARTTLS") as raised:
        email.send(outage(), config | {"smtpSecurity": "starttls"})
    assert raised.value.permanent
    assert mailbox.delivered == []


@pytest.mark.parametrize(("reply", "permanent"), [("451 busy", False), ("554 no thanks", True), ("452 full", False)])
def test_a_refused_message_is_tried_again_only_after_a_4xx(
    mailbox: Mailbox, config: dict[str, Any], reply: str, permanent: bool
) -> None:
    mailbox.data_reply = reply
    with pytest.raises(NotificationError, match=f"127.0.0.1 replied {reply}") as raised:
        email.send(outage(), config)
    assert raised.value.permanent is permanent


def test_a_recipient_refused_for_now_is_tried_again(mailbox: Mailbox, config: dict[str, Any]) -> None:
    mailbox.refuse = {"ops@example.com": "450 greylisted"}
    with pytest.raises(NotificationError, match="greylisted") as raised:
        email.send(outage(), config)
    assert not raised.value.permanent


def test_who_has_the_mail_does_not_get_it_again_when_another_was_greylisted(
    mailbox: Mailbox, config: dict[str, Any]
) -> None:
    config |= {"to": ["ops@example.com", "slow@example.com", "gone@example.com"]}
    mailbox.refuse = {"slow@example.com": "450 4.7.1 greylisted", "gone@example.com": "550 no such user"}
    with pytest.raises(NotificationError, match=r"450 4.7.1 greylisted.*The other recipients got the mail") as first:
        email.send(outage(), config)
    with pytest.raises(NotificationError, match=r"450 4.7.1 greylisted.*The other recipients got the mail") as second:
        email.send(outage(), config)
    del mailbox.refuse["slow@example.com"]
    with pytest.raises(NotificationError, match=r"550 no such user.*The other recipients got the mail") as third:
        email.send(outage(), config)
    assert [one.value.permanent for one in (first, second, third)] == [False, False, True]
    assert [one.envelope_to for one in mailbox.delivered] == [["ops@example.com"], ["slow@example.com"]]
    # Another delivery is another mail.
    mailbox.refuse.clear()
    email.send(outage(delivery_id=UUID(int=9)), config)
    assert mailbox.delivered[-1].envelope_to == config["to"]


def test_a_recipient_refused_among_others_is_told_and_not_repeated_to_the_others(
    mailbox: Mailbox, config: dict[str, Any]
) -> None:
    mailbox.refuse = {"gone@example.com": "550 no such user"}
    config |= {"to": ["ops@example.com", "gone@example.com"]}
    with pytest.raises(NotificationError, match=r"550 no such user.*The other recipients got the mail") as raised:
        email.send(outage(), config)
    assert raised.value.permanent
    assert mailbox.delivered[0].envelope_to == ["ops@example.com"]


@contextlib.contextmanager
def _talking(talk: Callable[[socket.socket], None]) -> Iterator[dict[str, Any]]:
    """A config that leads to a server which treats its one connection as `talk` likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            config = {"to": "ops@example.com", "smtpHost": "127.0.0.1", "smtpPort": listener.getsockname()[1]}
            yield config | {"from": "watch@example.org", "smtpSecurity": "none"}
        finally:
            thread.join()


def _answers(**words: str) -> Callable[[socket.socket], None]:
    """A server that answers each command by its word, "250 fine" where nothing else is said; "" hangs up."""

    def talk(connection: socket.socket) -> None:
        reply = words.get("hello", "220 hello")
        with connection.makefile("rb") as reader, contextlib.suppress(OSError):  # it may be left in mid-sentence
            while reply:
                connection.sendall(reply.encode() + b"\r\n")
                command = reader.readline().lower().decode("latin-1")
                reply = words.get(command[:4], "250 fine") if command else ""

    return talk


LOGIN = {"username": "alerts", "password": "s3cret-pass"}


@pytest.mark.parametrize(
    ("words", "changes", "said", "permanent"),
    [
        ({"hello": ""}, {}, "closed the connection", False),
        ({"hello": "421 too busy"}, {}, "421 too busy", False),
        ({"hello": "554 go away"}, {}, "554 go away", True),
        ({"mail": "451 later"}, {}, "451 later", False),
        ({"mail": "550 not you"}, {}, "550 not you", True),
        ({"rcpt": "421 closing"}, {}, "421 closing", False),
        ({"data": ""}, {}, "closed the connection", False),
        ({"data": "554 no"}, {}, "554 no", True),
        ({"ehlo": "250-x\r\n250 AUTH PLAIN", "auth": "454 later s3cret-pass"}, LOGIN, "454 later …", False),
        ({"ehlo": "250-x\r\n250 AUTH PLAIN", "auth": "535 wrong s3cret-pass"}, LOGIN, "535 wrong …", True),
        ({"ehlo": "250 no AUTH here"}, LOGIN, "does not offer authentication", True),
        ({"ehlo": "250-x\r\n250 STARTTLS", "star": "454 later"}, {"smtpSecurity": "starttls"}, "454 later", False),
        ({"ehlo": "250-x\r\n250 STARTTLS", "star": ""}, {"smtpSecurity": "starttls"}, "closed the connection", False),
        ({"ehlo": "250 XXXXXXXA"}, {"smtpSecurity": "starttls"}, "does not offer STARTTLS", True),
        # What is slipped in before the encryption begins is thrown away, and no TLS follows.
        (
            {"ehlo": "250-x\r\n250 STARTTLS", "star": "220 go\r\n250-AUTH PLAIN\r\n250 fine"},
            {"smtpSecurity": "starttls"} | LOGIN,
            "closed the connection",
            False,
        ),
    ],
)
def test_whatever_the_server_says_no_to_is_told_and_judged(
    configure: Configure, words: dict[str, str], changes: dict[str, str], said: str, permanent: bool
) -> None:
    with _talking(_answers(**words)) as config, pytest.raises(NotificationError) as raised:
        email.send(outage(), config | changes)
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert raised.value.permanent is permanent


def test_a_server_that_says_nothing_is_left_in_time(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "TIMEOUT_SECONDS", 0.3)
    gone = threading.Event()
    with _talking(lambda _: (gone.wait(30), None)[1]) as config:
        try:
            with pytest.raises(NotificationError, match="did not respond in time") as raised:
                email.send(outage(), config)
        finally:
            gone.set()
    assert not raised.value.permanent


def test_a_server_that_is_no_mail_server_is_a_transient_error(configure: Configure) -> None:
    with (
        _talking(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as config,
        pytest.raises(NotificationError) as raised,
    ):
        email.send(outage(), config)
    assert not raised.value.permanent
    assert str(raised.value) == "127.0.0.1 does not speak SMTP. Check the port."


def test_a_dripping_server_cannot_stretch_the_conversation(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "TIMEOUT_SECONDS", 0.5)
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not gone.wait(0.05):
            try:
                connection.sendall(b"2")
            except OSError:
                return

    with _talking(drip) as config:
        start = time.monotonic()
        try:
            with pytest.raises(NotificationError, match="did not respond in time") as raised:
                email.send(outage(), config)
        finally:
            gone.set()
    assert time.monotonic() - start < 3
    assert not raised.value.permanent


@pytest.mark.parametrize("goodbye", ["hangs up", "stays silent", "421 in a bad mood"])
def test_a_mail_once_taken_counts_as_sent_however_the_server_says_goodbye(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, goodbye: str
) -> None:
    monkeypatch.setattr("notifications.smtp.GOODBYE_SECONDS", 0.1)
    taken = []

    def talk(connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        connection.sendall(b"220 hello\r\n")
        for word in (b"ehlo", b"mail", b"rcpt", b"data"):
            assert reader.readline().lower().startswith(word)
            connection.sendall(b"354 go\r\n" if word == b"data" else b"250 fine\r\n")
        while reader.readline() != b".\r\n":
            continue
        taken.append(True)
        connection.sendall(b"250 taken\r\n")
        if goodbye != "hangs up":
            assert reader.readline().lower().startswith(b"quit")
            if goodbye.startswith("421"):
                connection.sendall(goodbye.encode() + b"\r\n")
            reader.read()  # until the other side has had enough

    with _talking(talk) as config:
        email.send(outage(), config)
    assert taken == [True]


def test_the_operators_server_is_the_default_and_exempt_from_the_guard(configure: Configure) -> None:
    mailbox = Mailbox()
    with _serving(mailbox) as port:
        configure(
            allow_internal_targets=False,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            smtp_from="Watch <watch@example.org>",
        )
        email.send(outage(), {"to": ["ops@example.com"]})
    assert mailbox.delivered[0].envelope_from == "watch@example.org"


def test_a_providers_own_server_is_judged_by_the_guard(configure: Configure, config: dict[str, Any]) -> None:
    configure(allow_internal_targets=False, smtp_host="127.0.0.1", smtp_port=config["smtpPort"])
    with pytest.raises(NotificationError, match="internal address") as raised:
        email.send(outage(), config)
    assert raised.value.permanent


def test_a_providers_own_server_never_gets_the_operators_account() -> None:
    defaults = settings.parse(
        {"SMTP_HOST": "mail.example", "SMTP_USERNAME": "operator", "SMTP_PASSWORD": "hidden", "SMTP_PORT": "2525"}
    )
    own = email.server_of({"smtpHost": "mail.evil.test"}, defaults)
    assert (own.host, own.port, own.username, own.password, own.guarded) == ("mail.evil.test", 587, "", "", True)
    operators = email.server_of({"smtpPort": 6379, "smtpSecurity": "none"}, defaults)
    assert (operators.host, operators.port, operators.security) == ("mail.example", 2525, "starttls")
    assert (operators.username, operators.password, operators.guarded) == ("operator", "hidden", False)
    assert "hidden" not in repr(operators)


@pytest.mark.parametrize(
    "changes", [{"to": []}, {"smtpSecurity": "maybe"}, {"smtpHost": ""}, {"smtpPort": "x"}, {"smtpPort": 99999}]
)
def test_a_config_that_cannot_work_says_so(config: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(NotificationError) as raised:
        email.send(outage(), config | changes)
    assert raised.value.permanent
