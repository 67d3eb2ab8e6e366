"""Loss is judged from the round trips alone: no network on loopback loses packets."""

import pytest

from actors.probes.outcome import Reason, Status
from actors.probes.ping import judge

from .checking import target


@pytest.mark.parametrize(
    ("answered", "allowed", "status"),
    [
        (1, None, Status.UP),
        (0, None, Status.DOWN),
        (3, 0, Status.UP),
        (2, 0, Status.DOWN),
        (2, 34, Status.UP),
        (0, 100, Status.UP),
    ],
)
def test_loss_is_down_above_what_is_allowed(answered: int, allowed: int | None, status: Status) -> None:
    config = {} if allowed is None else {"maxPacketLossPercent": allowed}
    outcome = judge(target("ping_host", "host", **config), "192.0.2.1", 3, [10.0, 20.0, 30.0][:answered])
    assert outcome.status is status


def test_partial_loss_is_told_apart_from_silence() -> None:
    one = target("ping_host", "router", timeout=5.0, maxPacketLossPercent=0)
    partial = judge(one, "192.0.2.1", 3, [10.0, 20.0])
    assert (partial.reason, partial.message) == (
        Reason.PACKET_LOSS,
        "router did not reply to 1 of 3 pings (33.3 % lost).",
    )
    assert partial.details["rttMs"] == {"min": 10.0, "avg": 15.0, "max": 20.0}
    silent = judge(one, "192.0.2.1", 3, [])
    assert silent.reason is Reason.HOST_UNREACHABLE
    assert silent.message == "router did not reply to any of 3 pings within 5 seconds."
    assert "rttMs" not in silent.details
    assert silent.response_time_ms is None
