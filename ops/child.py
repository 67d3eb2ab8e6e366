"""Become the real program, bound to the life of the process that started it.

Run as `python -I -S ops/child.py --parent PID --signal NUMBER [--user UID:GID] [--keep NAMES] -- PROGRAM ARGUMENT…`,
it asks the kernel to be sent the signal when its parent dies, drops to the user, and is replaced by the program:
no process of ours stays in between. Standard library only, and little of it: this is paid at every start.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def _drop_to(user: str) -> None:
    uid, gid = (int(part) for part in user.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _bind_to_parent(parent: int, death_signal: int) -> None:
    """Ask for `death_signal` at the parent's death; leave at once where it has died already.

    Must come after the change of user, which clears the request; executing the program keeps it.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    split = arguments.index("--")
    pairs = arguments[:split]
    return dict(zip(pairs[::2], pairs[1::2], strict=True)), arguments[split + 1 :]


def main(arguments: list[str]) -> None:
    """Never returns: executes the program or leaves with a message."""
    options, program = _options(arguments)
    environment = dict(os.environ)
    if "--keep" in options:
        # The servers need none of our keys.
        environment = {name: environment[name] for name in options["--keep"].split(",") if name in environment}
    if "--user" in options:
        _drop_to(options["--user"])
    os.umask(0o077)
    _bind_to_parent(int(options["--parent"]), int(options["--signal"]))
    # A supervisor or a test runner may have left signals ignored or blocked, and executing keeps that.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.execve(program[0], program, environment)  # noqa: S606 - a shell is what we do without
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
