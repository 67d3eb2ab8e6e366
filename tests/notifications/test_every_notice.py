"""Whatever a notice holds, each channel's payload is one that its service documents."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import settings as environment
from notifications import Notice, NoticeChange, NoticeLocation, NoticeMonitor, discord, email, slack, teams, telegram
from notifications.wording import as_text, describe
from tests.notifications import strict_mail, test_discord, test_slack, test_teams, test_telegram
from tests.notifications.notices import HOSTILE, MONITOR_ID, flood, outage
from tests.notifications.shape import validate

CONFIG = {"to": ["ops@example.com"], "from": "watch@example.org"}
#: Short and endless, of markup, of emoji, of anything.
TEXTS = st.one_of(
    st.text(st.characters(), max_size=60),
    st.builds(lambda piece, times: piece * times, st.text(st.characters(), min_size=1, max_size=8), st.just(700)),
    st.sampled_from(["", "*" * 5000, "&" * 5000, '"' * 5000, "@a " * 2000, "𝔘" * 5000, "👩‍🚒" * 2000, HOSTILE * 50]),
)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
FIGURES = st.floats(0, 1e9)
EVENTS = st.sampled_from(["monitor.down", "monitor.up", "monitor.ssl_expiring", "heartbeat.missed", "test", "other"])
LOCATIONS = st.lists(st.builds(NoticeLocation, TEXTS, TEXTS, FIGURES, TEXTS), max_size=9).map(tuple)
MONITORS = st.builds(
    NoticeMonitor, st.just(MONITOR_ID), TEXTS, TEXTS, TEXTS, st.just(f"https://watch.example/monitors/{MONITOR_ID}")
)
CHANGES = st.builds(NoticeChange, TEXTS, st.just("https://watch.example/monitors/1"), EVENTS, TEXTS, TEXTS, MOMENTS)
NOTICES = st.builds(
    outage,
    event=EVENTS,
    monitor=MONITORS,
    reason=TEXTS,
    error_code=st.none() | st.sampled_from(["UNEXPECTED_STATUS", "CERTIFICATE_EXPIRED"]) | TEXTS,
    locations=LOCATIONS,
    custom_message=TEXTS,
    project=TEXTS,
    down_since=st.none() | MOMENTS,
    down_for_seconds=st.none() | st.integers(0, 10**9),
    response_time_ms=st.none() | FIGURES,
    status_code=st.none() | st.integers(100, 599),
    timings=st.none() | st.fixed_dictionaries({"dnsMs": FIGURES, "tlsMs": FIGURES, "firstByteMs": FIGURES}),
    alert_number=st.none() | st.integers(1, 3),
    incident_url=st.none() | st.just("https://watch.example/incidents/1"),
)
SUMMARIES = st.builds(
    lambda changes, times, project: flood(0, changes=tuple(changes) * times, project=project),
    st.lists(CHANGES, max_size=6),
    st.sampled_from([1, 15]),
    TEXTS,
)


@settings(max_examples=25, deadline=None)
@given(NOTICES | SUMMARIES)
def test_every_service_takes_it(notice: Notice) -> None:
    wording = describe(notice)
    validate(json.loads(json.dumps(slack.message(wording))), test_slack.SCHEMA)
    test_discord.check(discord.message(wording))
    test_teams.check(json.dumps(teams.message(wording), ensure_ascii=False).encode())
    body = {"chat_id": "1", "text": telegram.text(wording), "parse_mode": "HTML"}
    test_telegram.check(body | {"link_preview_options": {"is_disabled": True}})
    assert len(as_text(wording)) < 6000


@settings(max_examples=25, deadline=None)
@given(NOTICES | SUMMARIES)
def test_every_notice_is_a_mail(notice: Notice) -> None:
    made = email.compose(notice, CONFIG, environment.parse({}))
    mail = strict_mail.parse(made.as_bytes(made.recipients, utf8=False))
    assert mail.mailboxes("To") == [("", "ops@example.com")]
    html = mail.body.get_body(("html",))
    assert html is not None
    assert len(html.get_content().replace("\r\n", "\n").encode()) < 102_000


def test_a_first_alert_of_no_time_at_all_is_told_too() -> None:
    notice = outage(down_since=outage().sent_at, down_for_seconds=0, alert_number=1)
    assert dict(describe(notice).facts)["For"] == "less than a second"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_summary_says_all_of_what_it_was_given_where_there_is_room(count: int) -> None:
    wording = describe(flood(count))
    text = as_text(wording)
    assert text.count("Node ") == count
    assert "more" not in text
    assert wording.links == (("Open the dashboard", "https://watch.example/"),)


def test_a_summary_tells_the_worst_first_and_then_by_time() -> None:
    def change(event: str, seconds: int) -> NoticeChange:
        at = outage().sent_at + timedelta(seconds=seconds)
        return NoticeChange(f"{event} {seconds}", "https://watch.example/", event, "", "", at)

    events: list[Any] = [("monitor.up", 1), ("monitor.down", 3), ("else", 0), ("heartbeat.missed", 2)]
    events += [("monitor.ssl_expiring", 1), ("monitor.down", 2)]
    wording = describe(flood(0, changes=tuple(change(*one) for one in events)))
    assert [one.name for one in wording.changes] == [
        "monitor.down 2",
        "monitor.down 3",
        "heartbeat.missed 2",
        "monitor.ssl_expiring 1",
        "monitor.up 1",
        "else 0",
    ]
    assert wording.headline.endswith(
        "2 down, 1 without a heartbeat, 1 with an expiring certificate, 1 up again, 1 with other changes"
    )
