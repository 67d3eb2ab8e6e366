"""Outages as the API tells them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import factories
from tests.web.api.cast import Cast

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def listed(cast: Cast, query: str = "") -> list[Any]:
    found: list[Any] = cast.viewer.get(f"/incidents{query}").json["data"]  # type: ignore[index]
    return found


def test_outages_are_listed_with_their_length_and_cause(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project, name="Shop")
    factories.an_incident(monitor, started_at=NOW - 5 * HOUR, ended_at=NOW - 4 * HOUR, failure_sequence=1)
    factories.an_incident(monitor, started_at=NOW - HOUR, failure_sequence=2, error_code="DNS_FAILURE")
    factories.an_incident(factories.a_monitor(cast.other_project))
    going_on, over = listed(cast)
    assert (over["open"], over["durationSeconds"], over["monitorName"]) == (False, 3600.0, "Shop")
    assert (going_on["open"], going_on["endedAt"], going_on["errorCode"]) == (True, None, "DNS_FAILURE")
    assert going_on["durationSeconds"] >= 3600


def test_outages_are_filtered_by_monitor_state_and_time(cast: Cast) -> None:
    one, other = factories.a_monitor(cast.project), factories.a_monitor(cast.project)
    factories.an_incident(one, started_at=NOW - 9 * HOUR, ended_at=NOW - 7 * HOUR)
    factories.an_incident(one, started_at=NOW - 5 * HOUR, ended_at=NOW - 3 * HOUR, failure_sequence=2)
    factories.an_incident(other, started_at=NOW - HOUR)
    at = {hours: (NOW - hours * HOUR).isoformat().replace("+00:00", "Z") for hours in (8, 6, 4, 2)}
    for query, count in {
        "": 3,
        f"?monitorId={one.id}": 2,
        "?open=true": 1,
        "?open=false": 2,
        f"?from={at[8]}": 3,
        f"?from={at[6]}": 2,
        f"?to={at[6]}": 1,
        f"?from={at[6]}&to={at[4]}": 1,
        f"?from={at[2]}&open=false": 0,
        "?limit=2&page=2": 1,
    }.items():
        assert len(listed(cast, query)) == count, query
    for wrong in ("from=yesterday", "from=2026-01-01T00:00:00", "open=perhaps", "monitorId=nonsense", "since=now"):
        assert cast.viewer.get(f"/incidents?{wrong}").status_code == 422, wrong


def test_an_outage_is_told_with_its_evidence_and_its_alerts(cast: Cast) -> None:
    monitor, provider = factories.a_monitor(cast.project), factories.a_provider(cast.project)
    details = {"statusCode": 503, "evidence": {"bodyExcerpt": HOSTILE, "responseHeaders": {"Server": HOSTILE}}}
    incident = factories.an_incident(monitor, evidence=factories.an_evidence(details))
    sent_alert = factories.an_alert(monitor, provider, reason=HOSTILE)
    factories.changed(sent_alert.deliveries[0], duration_ms=12.5)
    factories.an_alert(monitor, type="monitor.ssl_expiring", failure_sequence=None, alert_number=None)
    shown: Any = cast.viewer.get(f"/incidents/{incident.id}").json
    (found,) = shown["evidence"]["locations"]
    assert found["details"] == details
    assert (found["location"], found["errorCode"]) == ("us-east", "UNEXPECTED_STATUS")
    (alert,) = shown["alerts"]
    assert (alert["id"], alert["incidentId"], alert["reason"]) == (str(sent_alert.id), str(incident.id), HOSTILE)
    assert alert["deliveries"][0]["durationMs"] == 12.5
    assert [one["incidentId"] for one in cast.viewer.get("/alerts").json["data"]] == [None, str(incident.id)]  # type: ignore[index]


def test_an_outage_from_before_evidence_was_kept_has_none(cast: Cast) -> None:
    incident = factories.an_incident(factories.a_monitor(cast.project))
    shown: Any = cast.viewer.get(f"/incidents/{incident.id}").json
    assert (shown["evidence"], shown["alerts"]) == (None, [])


@pytest.mark.parametrize("wanted", ["nonsense", "5ddb4566-30c6-4c46-8a4c-b450af7a567e"])
def test_an_unknown_outage_is_not_there(cast: Cast, wanted: str) -> None:
    assert cast.viewer.get(f"/incidents/{wanted}").status_code == 404


def test_a_failed_results_evidence_passes_through_as_it_was_kept(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project)
    evidence = {
        "bodyExcerpt": HOSTILE,
        "responseHeaders": {"X-Long": "y" * 256, HOSTILE: "z"},
        "certificateChain": [{"subject": HOSTILE, "issuer": "CN=Nobody", "validTo": "2026-01-01T00:00:00+01:00"}],
    }
    factories.a_result(monitor, status="down", error_code="UNEXPECTED_STATUS", details={"evidence": evidence})
    (found,) = cast.viewer.get(f"/monitors/{monitor.id}/results").json["data"]  # type: ignore[index]
    assert found["details"]["evidence"] == evidence
