"""What a worker may do to the network, and what it says where it may not: in a network namespace of each test's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.actors.probes import in_a_namespace
from tests.actors.probes.our_trouble_in_a_namespace import KINDS
from tests.actors.probes.ping_in_a_namespace import UNPRIVILEGED_ID

ROOT = Path(__file__).parents[3]
EVERYBODY, NOT_US = f"0 {UNPRIVILEGED_ID}", "1 0"


@pytest.fixture(scope="module")
def unshare() -> str:
    """The command that gives a process a network of its own, in which only loopback is."""
    command = shutil.which("unshare")
    if command is None or os.getuid() != 0:
        pytest.skip("only root, with util-linux's unshare, can make a network namespace")
    if subprocess.run([command, "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow network namespaces")
    return command


def ping(unshare: str, groups: str, rights: str, address: str) -> list[Any]:
    """[kinds of sockets that were opened, status, reason, loss in per cent, message]."""
    if ":" in address and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    module = [sys.executable, "-m", "tests.actors.probes.ping_in_a_namespace", groups, rights, address]
    environ = {**os.environ, "ALLOW_INTERNAL_TARGETS": "true"}
    done = subprocess.run(
        [unshare, "--net", *module], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    if "Read-only file system" in done.stderr:
        pytest.skip("this machine does not allow setting ping_group_range")
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_worker_that_is_cut_off_from_every_network_blames_no_target(unshare: str) -> None:
    module = [sys.executable, "-m", "tests.actors.probes.in_a_namespace"]
    environ = {**os.environ, "ALLOW_INTERNAL_TARGETS": "true"}
    done = subprocess.run(
        [unshare, "--net", *module], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(in_a_namespace.TARGETS)
    assert {(one[2], one[3]) for one in found} == {("error", "INTERNAL_ERROR")}, found


def scene(unshare: str, name: str) -> list[list[Any]]:
    """[status, reason, fault, address] of each check of `our_trouble_in_a_namespace`."""
    module = [sys.executable, "-m", "tests.actors.probes.our_trouble_in_a_namespace", name]
    environ = {**os.environ, "ALLOW_INTERNAL_TARGETS": "true"}
    command = [unshare, "--net", "--mount", *module]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False)
    if "resolv.conf cannot be mounted" in done.stderr:
        pytest.skip("this machine does not allow mounting a file")
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", ["silent", "servfail", "refused"])
def test_a_worker_whose_name_server_does_not_work_blames_no_target(unshare: str, name: str) -> None:
    found = scene(unshare, name)
    # In a namespace without any route that is the deeper fault.
    assert found == [["error", "INTERNAL_ERROR", "network", ""]] * len(KINDS)


def test_a_name_that_does_not_exist_and_one_whose_own_servers_fail_are_the_targets(unshare: str) -> None:
    assert scene(unshare, "works") == [["down", "DNS_FAILURE", None, ""]] * 2 * len(KINDS)


def test_in_a_closed_network_names_are_judged_by_other_names(unshare: str) -> None:
    first, second = scene(unshare, "closed")
    assert first[0] == "error"
    assert second == ["down", "DNS_FAILURE", None, ""]


def test_a_worker_without_descriptors_blames_no_target(unshare: str) -> None:
    found = scene(unshare, "descriptors")
    assert len(found) == 2 * len(KINDS)
    assert {tuple(one[:3]) for one in found} == {("error", "INTERNAL_ERROR", "descriptors")}, found


def test_a_worker_without_local_ports_blames_no_target(unshare: str) -> None:
    found = scene(unshare, "ports")
    assert {tuple(one[:2]) for one in found} == {("error", "INTERNAL_ERROR")}, found
    assert [one[2] for one in found[:4]] == ["ports"] * 4


def test_a_worker_whose_gateway_is_dead_blames_no_target_behind_it(unshare: str) -> None:
    if shutil.which("ip") is None:
        pytest.skip("this machine has no iproute2")
    *behind, neighbour, name = scene(unshare, "gateway")
    assert len(behind) == 2 * (len(KINDS) + 1)
    assert {tuple(one[:3]) for one in behind} == {("error", "INTERNAL_ERROR", "network")}, behind
    assert neighbour[:3] == ["down", "HOST_UNREACHABLE", None]
    assert name[:3] == ["error", "INTERNAL_ERROR", "name_server"]


def test_a_dead_first_address_does_not_hide_a_live_one(unshare: str) -> None:
    assert scene(unshare, "dead_first") == [["up", None, None, "127.0.0.1"]] * 4


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_worker_that_may_have_raw_sockets_uses_them(unshare: str, address: str) -> None:
    assert ping(unshare, NOT_US, "raw", address)[:4] == [["raw"], "up", None, 0.0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_worker_whose_group_may_ping_needs_no_right_at_all(unshare: str, address: str) -> None:
    assert ping(unshare, EVERYBODY, "none", address)[:4] == [["unprivileged"], "up", None, 0.0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_worker_that_may_do_neither_says_what_to_set_and_blames_nobody(unshare: str, address: str) -> None:
    kinds, status, reason, _, message = ping(unshare, NOT_US, "none", address)
    assert (kinds, status, reason) == ([], "error", "PING_NOT_PERMITTED")
    assert "CAP_NET_RAW" in message
    assert f"sysctl -w net.ipv4.ping_group_range='{UNPRIVILEGED_ID} {UNPRIVILEGED_ID}'" in message
