"""A month of two hundred monitors in virtual time: nothing missed, nothing made up, nothing sent twice."""

import time

import pytest

from tests import rows
from tests.simulation.conftest import Play
from tests.simulation.oracle import judge
from tests.simulation.scenario import cast

DOUBLED = """
SELECT count(*) FROM (SELECT FROM monitor_results GROUP BY monitor_id, scheduled_for, location HAVING count(*) > 1) twice
"""


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_month_of_two_hundred_monitors_ends_with_four_zeros(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    began, worked = time.monotonic(), time.process_time()
    month = play(cast(seed=1, monitors=200, days=31))
    figures = judge(month.script, month.sent_notices, month.repeated_by_crash)
    with capsys.disabled():
        print(
            f"\nA simulated month: {figures}  ({month.summary()}; {time.monotonic() - began:.0f} s,"
            f" {time.process_time() - worked:.0f} s of them at work)"
        )
    assert (figures.missed, figures.false, figures.duplicates, figures.beyond) == ([], [], [], []), figures.reasons()
    assert rows.value(month.db, DOUBLED) == 0
