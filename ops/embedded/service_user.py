"""The system user that the embedded servers run as when we are root.

PostgreSQL refuses to run as root, and neither server needs root's power. An ordinary user runs them as himself.
"""

import os
import pwd
import stat
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from ops.embedded.errors import EmbeddedError

NAME = "supercheck"
PATIENCE_SECONDS = 10


class Owner(NamedTuple):
    """Whom the servers' files belong to."""

    uid: int
    gid: int


def owner() -> Owner | None:
    """The service user, made where it is missing; None when we are not root and need none.

    Raises `EmbeddedError` where it cannot be made.
    """
    if os.geteuid() != 0:
        return None
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            problem = _make()
        else:
            return Owner(entry.pw_uid, entry.pw_gid)
        # Another start may be holding the lock of the user database: look again until it lets go.
        if problem and time.monotonic() > give_up:
            raise EmbeddedError(
                f"cannot make the system user {NAME} ({problem}): run as an ordinary user, or make it with:"
                f" useradd --system {NAME}"
            )
        if problem:
            time.sleep(0.1)


def _make() -> str:
    """Make the user; answers what went wrong, empty where nothing did."""
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        done = subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", NAME], capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        return "useradd is not installed"
    already_there = 9
    if done.returncode in {0, already_there}:
        return ""
    return (done.stderr.strip().splitlines() or ["useradd failed"])[-1]


def open_the_way(path: Path) -> None:
    """Let the service user pass through to `path`: the search bit, on parents that lack it, and nothing more."""
    if os.geteuid() != 0:
        return
    for parent in path.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def open_to_read(place: Path) -> bool:
    """Let the service user read `place` and, in a directory, everything beneath; answers whether that is so now."""
    open_the_way(place)
    fine = True
    for path in (place, *place.rglob("*")):
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | (stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH)
        try:
            if wanted != mode:
                path.chmod(wanted)
        except OSError:
            fine = False
    return fine


def own(path: Path) -> None:
    """Make `path` the service user's, where there is one."""
    user = owner()
    if user:
        os.chown(path, user.uid, user.gid)


def private_directory(path: Path) -> None:
    """Make the directory `path`, the service user's alone, and open the way to it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    open_the_way(path)
    own(path)
