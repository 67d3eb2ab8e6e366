"""What a child of the supervisor keeps of root, and how it ends. As root only: others have nothing to drop."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ops.embedded import foreground
from ops.supervision import CAP_NET_BIND_SERVICE, CAP_NET_RAW
from tests.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to drop")
USER = "64123"
STATUS = ("/bin/cat", "/proc/self/status")


def bound(*options: str, parent: str, program: tuple[str, ...]) -> list[str]:
    command = [sys.executable, "-I", "-S", str(foreground.CHILD), "--parent", parent, "--signal", "9"]
    return [*command, "--user", f"{USER}:{USER}", *options, "--", *program]


def child(
    *options: str, program: tuple[str, ...] = STATUS, environment: dict[str, str] | None = None, mark: str = ":"
) -> dict[str, str]:
    """The lines that `program` prints behind `ops/child.py`, by what stands before `mark`."""
    command = bound(*options, parent=str(os.getpid()), program=program)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = (line.partition(mark) for line in done.stdout.splitlines())
    return {name: " ".join(rest.split()) for name, _, rest in lines}


def mask(*numbers: int) -> str:
    return f"{sum(1 << number for number in numbers):016x}"


def has(number: int) -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) & 1 << number)


def test_nothing_of_root_is_left() -> None:
    found = child()
    assert found["Uid"] == found["Gid"] == " ".join([USER] * 4)
    assert found["Groups"] == ""
    assert found["CapPrm"] == found["CapEff"] == found["CapAmb"] == mask()
    assert found["NoNewPrivs"] == "1"


@pytest.mark.parametrize("number", [CAP_NET_RAW, CAP_NET_BIND_SERVICE])
def test_only_the_listed_capabilities_are_kept(number: int) -> None:
    if not has(number):
        pytest.skip("this machine withholds the capability")
    found = child("--capabilities", str(number))
    assert found["Uid"] == " ".join([USER] * 4)
    assert found["CapPrm"] == found["CapEff"] == found["CapAmb"] == mask(number)


def test_a_capability_that_is_withheld_is_no_reason_not_to_start() -> None:
    lacking = next((number for number in range(32) if not has(number)), None)
    if lacking is None:
        pytest.skip("this machine withholds nothing")
    assert child("--capabilities", str(lacking))["CapEff"] == mask()


def test_the_child_of_another_user_dies_with_its_parent_all_the_same() -> None:
    command = bound("--capabilities", str(CAP_NET_RAW), parent="PARENT", program=("/bin/sleep", "600"))
    program = (
        f"import os, subprocess; c = {command!r}; c[c.index('PARENT')] = str(os.getpid()); p = subprocess.Popen(c)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", f"{program}; print(p.pid, flush=True); p.wait()"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        bound_child = psutil.Process(int(output.readline()))
    until(lambda: bound_child.name() == "sleep", within=20)
    parent.kill()
    parent.wait()
    assert psutil.wait_procs([bound_child], timeout=20)[1] == []


def test_the_environment_stays_but_for_roots_home() -> None:
    environment = {"HOME": "/root", "SECRET_KEY": "the key", "PATH": os.environ["PATH"]}
    found = child(program=("/usr/bin/env",), environment=environment, mark="=")
    assert {**environment, "HOME": "/nonexistent"}.items() <= found.items()
