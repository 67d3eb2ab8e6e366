"""Notices to send: an ordinary outage, and one whose every text was written by an enemy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from notifications import Notice, NoticeChange, NoticeLocation, NoticeMonitor

SENT_AT = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
MONITOR_ID = UUID("11111111-1111-4111-8111-111111111111")
#: Markup of every channel, mentions, line breaks, a direction override, a null and a lone surrogate.
HOSTILE = (
    "<!channel> <@U1> <b>x</b> <script>1</script> <http://evil.test|click> @everyone @here *a* _b_ ~c~ `d` "
    "[l](http://evil.test) ||s|| {{7*7}} {% x %} &amp; \r\nBcc: spy@evil.test\r\n\r\n\u202eevil\x00\ud800\\"
)


def outage(**changes: Any) -> Notice:
    """The second alert of an outage of some five minutes."""
    notice = Notice(
        event="monitor.down",
        alert_id=UUID("22222222-2222-4222-8222-222222222222"),
        delivery_id=UUID("33333333-3333-4333-8333-333333333333"),
        sent_at=SENT_AT,
        monitor=NoticeMonitor(
            id=MONITOR_ID,
            name="Shop front",
            type="http_request",
            target="https://shop.example/health",
            url=f"https://watch.example/monitors/{MONITOR_ID}",
        ),
        status="down",
        previous_status="up",
        reason="The answer was 503, expected was 200-299.",
        error_code="UNEXPECTED_STATUS",
        response_time_ms=1234.5,
        checked_at=SENT_AT - timedelta(seconds=1),
        consecutive_failure_count=2,
        alert_number=2,
        locations=(
            NoticeLocation("eu-central", "up", 20.4, None),
            NoticeLocation("us-east", "down", 1234.5, "503 Service Unavailable"),
        ),
        down_since=SENT_AT - timedelta(minutes=5, seconds=12),
        down_for_seconds=312,
        custom_message="Call the shop team.\nThen look at the load balancer.",
        project="Web shop",
    )
    return replace(notice, **changes)


def recovery(**changes: Any) -> Notice:
    """The end of that outage."""
    reason = "200 OK in 34 ms."
    changes = {"event": "monitor.up", "status": "up", "previous_status": "down", "error_code": None} | changes
    return outage(**({"alert_number": None, "reason": reason} | changes))


def hostile(length: int = 1) -> Notice:
    """An outage whose texts are all `HOSTILE`, `length` times over."""
    text = HOSTILE * length
    places = tuple(NoticeLocation(f"place-{number}" + text, "down", 1.0, text) for number in range(30))
    monitor = NoticeMonitor(MONITOR_ID, text, text, text, f"https://watch.example/monitors/{MONITOR_ID}")
    return outage(monitor=monitor, reason=text, error_code=text, locations=places, custom_message=text, project=text)


def flood(count: int, text: str = "", **changes: Any) -> Notice:
    """A summary of `count` changes, the first of every two an outage; `text` goes into every name and reason."""
    changed_monitors = tuple(
        NoticeChange(
            f"Node {number}{text}",
            f"https://watch.example/monitors/{number}",
            ("monitor.down", "monitor.up")[number % 2],
            ("down", "up")[number % 2],
            f"The connection was refused.{text}",
            SENT_AT - timedelta(seconds=30) + timedelta(milliseconds=number),
        )
        for number in range(count)
    )
    dashboard = NoticeMonitor(UUID(int=0), "", "", "", "https://watch.example/")
    empty: dict[str, Any] = dict.fromkeys(
        ("alert_id", "error_code", "response_time_ms", "checked_at", "alert_number", "down_since", "down_for_seconds")
    )
    values = {"event": "summary", "monitor": dashboard, "reason": "", "locations": (), "custom_message": "", **empty}
    return outage(**(values | {"changes": changed_monitors} | changes))
