"""The simulation can fail: each of these faults, planted into the pipeline, makes one of the four figures non-zero."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from actors.alerts import policy
from actors.verdicts import transition
from models.connections.database import Db
from models.queries import deliveries, monitor_states
from models.rules.monitor_state import State
from scheduling import sweep
from tests.simulation.conftest import Play
from tests.simulation.oracle import judge
from tests.simulation.scenario import cast

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Patch = pytest.MonkeyPatch


def none(_patch: Patch) -> None:
    """No fault."""


def a_limit_of_four(patch: Patch) -> None:
    patch.setattr(transition, "ALERT_LIMIT", 4)


def a_threshold_too_low(patch: Patch) -> None:
    _advance_with(patch, lambda arguments: {"failure_threshold": max(1, arguments["failure_threshold"] - 1)})


def a_threshold_too_high(patch: Patch) -> None:
    _advance_with(patch, lambda arguments: {"failure_threshold": arguments["failure_threshold"] + 1})


def an_error_counted_as_down(patch: Patch) -> None:
    _advance_with(patch, lambda arguments: {"verdict": arguments["verdict"].replace("error", "down")})


def _advance_with(patch: Patch, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `transition.advance` be called with other arguments."""
    import inspect

    real = transition.advance
    signature = inspect.signature(real)

    def advance(*values: Any, **named: Any) -> Any:
        given = signature.bind(*values, **named)
        return real(**(given.arguments | change(given.arguments)))

    patch.setattr(transition, "advance", advance)


def a_recovery_without_its_failure(patch: Patch) -> None:
    """The first successful round sends a recovery alert; both checks behind it are disabled."""
    real = transition._succeeded

    def succeeded(state: State, *values: Any, **named: Any) -> transition.Transition:
        change = real(state, *values, **named)
        if state.status != "pending":
            return change
        return transition.Transition(change.state, change.status_changed, transition.AlertDecision("up", None))

    patch.setattr(transition, "_succeeded", succeeded)
    patch.setattr(policy, "suppression_reason", lambda *_: None)


def no_sweep(patch: Patch) -> None:
    patch.setattr(sweep.sweep, "fn", lambda: None)


def late_rounds_move_the_state_back(patch: Patch) -> None:
    real = monitor_states.lock_snapshots

    def forgetful(*arguments: Any) -> Any:
        return {
            monitor_id: snapshot._replace(state=snapshot.state._replace(decided_for=None))
            for monitor_id, snapshot in real(*arguments).items()
        }

    patch.setattr(monitor_states, "lock_snapshots", forgetful)


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
    figures = judge(month.script, month.sent_notices, month.repeated_by_crash)
    print(figures, figures.reasons())
    assert figures.outages >= 10
    if figure is None:
        assert (figures.missed, figures.false, figures.duplicates, figures.beyond) == ([], [], [], [])
    else:
        assert getattr(figures, figure), figures
