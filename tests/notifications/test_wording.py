"""What messages say."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import faults
from notifications.figures import humanise, milliseconds
from notifications.plain import line, lines
from notifications.wording import Tone, as_text, describe
from tests.notifications.notices import SENT_AT, hostile, outage, recovery


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a second"),
        (0.9, "less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (312, "5 minutes 12 seconds"),
        (3600, "1 hour"),
        (3605, "1 hour"),
        (12_000, "3 hours 20 minutes"),
        (86_400 * 2 + 3600, "2 days 1 hour"),
        (86_400 * 400 + 59, "400 days"),
        (-5, "less than a second"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert humanise(seconds) == words


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0.42, "0.4 ms"), (34.4, "34 ms"), (12345.6, "12,346 ms")])
def test_response_times_are_readable(value: float | None, words: str) -> None:
    assert milliseconds(value) == words


def test_an_outage_tells_since_when_how_long_and_how_often() -> None:
    facts = dict(describe(outage()).facts)
    assert facts["Since"] == "2026-03-01 12:24:53 UTC"
    assert facts["For"] == "5 minutes 12 seconds"
    assert facts["Alert"] == "2 of 3"
    assert facts["Failed checks in a row"] == "2"


def test_a_recovery_tells_of_the_outage_that_ended() -> None:
    wording = describe(recovery())
    facts = dict(wording.facts)
    assert (wording.headline, wording.tone) == ("Shop front is up again", Tone.GOOD)
    assert facts["Was down for"] == "5 minutes 12 seconds"
    assert facts["Was down since"] == "2026-03-01 12:24:53 UTC"
    assert not {"Alert", "Since", "For", "Failed checks in a row"} & set(facts)


def test_how_long_is_counted_from_the_start_where_nobody_counted() -> None:
    notice = outage(down_for_seconds=None, down_since=SENT_AT - timedelta(hours=2))
    assert dict(describe(notice).facts)["For"] == "2 hours"


@pytest.mark.parametrize(
    ("event", "headline"),
    [
        ("monitor.down", "Shop front is down"),
        ("heartbeat.missed", "Shop front missed its heartbeat"),
        ("monitor.ssl_expiring", "The certificate of Shop front expires soon"),
        ("test", "Test message from Supercheck"),
    ],
)
def test_every_event_has_its_headline_and_an_icon_in_the_subject(event: str, headline: str) -> None:
    wording = describe(outage(event=event))
    assert wording.headline == headline
    assert wording.subject == f"{wording.icon} {headline}"


def test_a_failure_is_told_with_what_to_do_next_and_a_recovery_without() -> None:
    assert (
        describe(outage()).reason == f"The answer was 503, expected was 200-299. {faults.guidance('UNEXPECTED_STATUS')}"
    )
    endless = describe(outage(reason="x" * 500)).reason
    assert (len(endless), endless[-20:]) == (400, faults.guidance("UNEXPECTED_STATUS")[-20:])
    assert describe(outage(error_code="SOMETHING_ELSE")).reason == "The answer was 503, expected was 200-299."
    assert describe(recovery(error_code="UNEXPECTED_STATUS")).reason == "200 OK in 34 ms."


def test_a_certificate_that_has_expired_is_not_said_to_expire_soon() -> None:
    wording = describe(outage(event="monitor.ssl_expiring", error_code="CERTIFICATE_EXPIRED"))
    assert (wording.headline, wording.tone) == ("The certificate of Shop front has expired", Tone.BAD)


def test_failed_locations_come_first_and_the_rest_is_counted() -> None:
    places = describe(outage()).locations
    assert [place.split(":")[0] for place in places] == ["us-east", "eu-central"]
    assert describe(hostile()).locations[-1] == "and 24 more"


def test_a_name_with_braces_is_only_a_name() -> None:
    monitor = outage().monitor
    notice = outage(monitor=type(monitor)(monitor.id, "{name} {0.__class__}", "website", "", monitor.url))
    assert describe(notice).headline == "{name} {0.__class__} is down"


def test_a_password_in_the_target_is_left_out() -> None:
    monitor = outage().monitor
    notice = outage(monitor=type(monitor)(monitor.id, "x", "website", "https://me:pass@shop.example/a@b", monitor.url))
    assert dict(describe(notice).facts)["Target"] == "https://shop.example/a@b"


def test_a_notice_with_nothing_known_says_nothing_empty() -> None:
    unknown: dict[str, Any] = dict.fromkeys(
        ("error_code", "response_time_ms", "checked_at", "alert_number", "down_since", "down_for_seconds")
    )
    notice = outage(locations=(), custom_message="", reason="", consecutive_failure_count=0, **unknown)
    wording = describe(notice)
    assert [label for label, _ in wording.facts] == ["Target", "Type", "Project"]
    assert as_text(wording).startswith("Target: https://shop.example/health")


@pytest.mark.parametrize("length", [1, 100])
def test_hostile_texts_are_plain_bounded_and_on_one_line(length: int) -> None:
    wording = describe(hostile(length))
    texts = [
        wording.subject,
        wording.headline,
        wording.reason,
        *wording.locations,
        *(value for _, value in wording.facts),
    ]
    assert all("\n" not in text and "\u202e" not in text and "\x00" not in text for text in texts)
    assert len(as_text(wording)) < 3500


@given(st.text(st.characters(), max_size=200), st.integers(1, 100))
def test_any_text_becomes_printable_encodable_and_short_enough(text: str, limit: int) -> None:
    for cleaned in (line(text, limit), lines(text, limit)):
        assert len(cleaned) <= limit
        cleaned.encode()
        assert not [character for character in cleaned if ord(character) < 32 and character != "\n"]
    assert "\n" not in line(text, limit)


def test_emoji_of_several_parts_stay_whole() -> None:
    assert line("👩‍🚒 on duty", 20) == "👩‍🚒 on duty"


def test_a_failure_that_is_told_late_is_not_taken_for_news() -> None:
    late = outage(ended_at=SENT_AT - timedelta(minutes=1), down_since=SENT_AT - timedelta(minutes=6))
    wording = describe(late)
    assert (wording.headline, wording.tone) == ("Shop front was down and is up again", Tone.WARNING)
    assert wording.reason.startswith("This message is late: the outage ended at 2026-")
    facts = dict(wording.facts)
    assert facts["Was down for"] == "5 minutes"
    assert "Since" not in facts
