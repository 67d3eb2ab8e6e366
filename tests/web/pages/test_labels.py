"""How times and numbers are said."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from web.ui import labels as wording

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MOMENTS = [
    (timedelta(0), "just now"),
    (timedelta(seconds=-59.4), "59 s ago"),
    (timedelta(hours=-22, minutes=-57), "22 h ago"),
    (timedelta(seconds=2.4), "in 2 s"),
    (timedelta(seconds=59.6), "in 1 min"),
    (timedelta(minutes=59, seconds=40), "in 1 h"),
    (timedelta(hours=22, minutes=57), "in 23 h"),
    (timedelta(hours=23, minutes=40), "in 1 d"),
    (timedelta(days=1, hours=11), "in 1 d"),
    (timedelta(days=1, hours=13), "in 2 d"),
]


@pytest.mark.parametrize(("ahead", "said"), MOMENTS)
def test_what_is_past_is_rounded_down_and_what_is_to_come_to_the_nearest(ahead: timedelta, said: str) -> None:
    assert wording.ago(NOW + ahead, NOW) == said


def test_the_script_says_the_same_as_the_server() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    script = (Path(wording.__file__).parents[1] / "static/times.js").read_text()
    seconds = [-ahead.total_seconds() for ahead, _ in MOMENTS]
    program = f"{script}\nfor (const one of {seconds}) console.log(relative(one));"
    ran = subprocess.run([node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [said for _, said in MOMENTS]


@pytest.mark.parametrize(("number", "said"), [(0, "0 results"), (1, "1 result"), (2, "2 results")])
def test_one_is_said_in_the_singular(number: int, said: str) -> None:
    assert wording.counted(number, "result") == said
    assert wording.counted(number, "entry", "entries") == f"{number} {'entry' if number == 1 else 'entries'}"
