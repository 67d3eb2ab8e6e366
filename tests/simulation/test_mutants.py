"""The simulation can fail: each of these faults, planted into the road, makes one of the four figures non-zero."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from actors.alerts import policy
from actors.verdicts import transition
from models.connections.database import Db
from models.queries import deliveries, rounds
from scheduling import sweep
from tests.simulation.casting import cast
from tests.simulation.conftest import Play
from tests.simulation.oracle import judge

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Patch = pytest.MonkeyPatch


def none(_patch: Patch) -> None:
    """No fault."""


def a_limit_of_four(patch: Patch) -> None:
    patch.setattr(transition, "ALERT_LIMIT", 4)


def a_threshold_too_low(patch: Patch) -> None:
    _step_with(patch, lambda arguments: {"failure_threshold": max(1, arguments["failure_threshold"] - 1)})


def a_threshold_too_high(patch: Patch) -> None:
    _step_with(patch, lambda arguments: {"failure_threshold": arguments["failure_threshold"] + 1})


def an_error_counted_as_down(patch: Patch) -> None:
    _step_with(patch, lambda arguments: {"verdict": arguments["verdict"].replace("error", "down")})


def _step_with(patch: Patch, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `transition.step` be called with other arguments."""
    import inspect

    real = transition.step
    signature = inspect.signature(real)

    def step(*values: Any, **named: Any) -> Any:
        given = signature.bind(*values, **named)
        return real(**(given.arguments | change(given.arguments)))

    patch.setattr(transition, "step", step)


def a_recovery_without_its_failure(patch: Patch) -> None:
    """The first good round is told as a recovery; both nets below it are cut."""
    real = transition._good

    def good(state: transition.State, *values: Any, **named: Any) -> transition.Step:
        moved = real(state, *values, **named)
        if state.status != "pending":
            return moved
        return transition.Step(moved.state, moved.changed, transition.Told("up", None))

    patch.setattr(transition, "_good", good)
    patch.setattr(policy, "suppression_reason", lambda *_: None)


def no_sweep(patch: Patch) -> None:
    patch.setattr(sweep.sweep, "fn", lambda: None)


def late_rounds_move_the_state_back(patch: Patch) -> None:
    real = rounds.lock_standings

    def forgetful(*arguments: Any) -> Any:
        found = real(*arguments)
        for standing in found.values():
            standing.decided_for = None
        return found

    patch.setattr(rounds, "lock_standings", forgetful)


def a_delivery_that_may_be_claimed_twice(patch: Patch) -> None:
    real = deliveries.claim

    def claim(db: Db, delivery_id: UUID, *values: Any, **named: Any) -> Any:
        db.execute("UPDATE deliveries SET status = 'pending', claimed_until = NULL WHERE id = %s", [delivery_id])
        return real(db, delivery_id, *values, **named)

    patch.setattr(deliveries, "claim", claim)


@pytest.mark.parametrize(
    ("fault", "figure"),
    [
        (none, None),
        (a_limit_of_four, "beyond"),
        (a_threshold_too_low, "false"),
        (a_threshold_too_high, "missed"),
        (an_error_counted_as_down, "false"),
        (a_recovery_without_its_failure, "false"),
        (no_sweep, "missed"),
        (late_rounds_move_the_state_back, "false"),
        (a_delivery_that_may_be_claimed_twice, "duplicates"),
    ],
)
def test_a_planted_fault_shows_in_its_figure(
    play: Play, monkeypatch: Patch, fault: Callable[[Patch], None], figure: str | None
) -> None:
    fault(monkeypatch)
    month = play(cast(seed=5, monitors=24, days=8, rest=2, echo=0.3, loss=0.1))
    figures = judge(month.script, month.told, month.repeated_by_crash)
    print(figures, figures.reasons())
    assert figures.outages >= 10
    if figure is None:
        assert (figures.missed, figures.false, figures.duplicates, figures.beyond) == ([], [], [], [])
    else:
        assert getattr(figures, figure), figures
