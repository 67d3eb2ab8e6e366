"""Run a program that ends when the process that started it ends.

Run as `python -I -S ops/child.py --parent PID --signal NUMBER [--user UID:GID] [--capabilities NUMBERS] [--keep NAMES]
-- PROGRAM ARGUMENT…`, it asks the kernel for the signal when its parent dies, switches to the user, and replaces itself with
the program, so that no process stays in between. Of root's capabilities only those listed are kept.
It imports little, and only from the standard library, because every start of a process runs it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _drop_to(user: str, wanted: list[int]) -> None:
    """Switch to the user permanently; keep the `wanted` capabilities that root has here.

    A container may withhold a capability; the program that needs it then reports that.
    """
    uid, gid = (int(part) for part in user.split(":"))
    _libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted, inheritable for capabilities 0 to 31, then the same for 32 to 63.
    sets = (ctypes.c_uint32 * 6)()
    if _libc.capget(header, sets) != 0:
        sys.exit(f"cannot read the capabilities: {os.strerror(ctypes.get_errno())}")
    kept = [number for number in wanted if sets[1] & 1 << number]
    mask = sum(1 << number for number in kept)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if _libc.capset(header, sets) != 0:
        sys.exit(f"cannot drop the capabilities: {os.strerror(ctypes.get_errno())}")
    for number in kept:
        # Only ambient capabilities survive the execution of an ordinary program.
        _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _bind_to_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the parent dies; exit at once if it is dead already.

    Call it after the change of user, which clears the request. `exec` keeps it.
    """
    _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    split = arguments.index("--")
    pairs = arguments[:split]
    return dict(zip(pairs[::2], pairs[1::2], strict=True)), arguments[split + 1 :]


def main(arguments: list[str]) -> None:
    """Replace this process with the program, or exit with a message."""
    options, program = _options(arguments)
    environment = dict(os.environ)
    if "--keep" in options:
        # The embedded servers do not need Supercheck's keys.
        environment = {name: environment[name] for name in options["--keep"].split(",") if name in environment}
    if "--user" in options:
        capabilities = options.get("--capabilities", "")
        _drop_to(options["--user"], [int(number) for number in capabilities.split(",") if number])
        # The user cannot read root's home directory, and some libraries fail when they look for files there.
        environment["HOME"] = "/nonexistent"
    os.umask(0o077)
    _bind_to_parent(int(options["--parent"]), int(options["--signal"]))
    # A supervisor or a test runner may have ignored or blocked signals, and `exec` keeps that.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.execve(program[0], program, environment)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
