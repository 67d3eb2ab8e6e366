"""The system user that runs the embedded servers if Supercheck is started by root.

PostgreSQL refuses to run as root, and neither server needs root's privileges. Started by another user, the servers run as
that user.
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
USER_DATABASE_TIMEOUT_SECONDS = 10


class Owner(NamedTuple):
    """The owner of the servers' files."""

    uid: int
    gid: int


def owner() -> Owner | None:
    """Return the service user, created if it is missing; None if this process does not run as root.

    Raise `EmbeddedError` if the user cannot be created.
    """
    if os.geteuid() != 0:
        return None
    give_up = time.monotonic() + USER_DATABASE_TIMEOUT_SECONDS
    while True:
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            problem = _make()
        else:
            return Owner(entry.pw_uid, entry.pw_gid)
        # Another start may hold the lock of the user database: retry until it is released.
        if problem and time.monotonic() > give_up:
            raise EmbeddedError(
                f"cannot create the system user {NAME} ({problem}): run as an ordinary user, or create it with:"
                f" useradd --system {NAME}"
            )
        if problem:
            time.sleep(0.1)


def _make() -> str:
    """Create the user; return an error message, or an empty string if it exists now."""
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
    """Let the service user reach `path`: set the search bit on each parent directory that lacks it."""
    if os.geteuid() != 0:
        return
    for parent in path.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def open_to_read(place: Path) -> bool:
    """Let the service user read `place` and everything below it; return whether all of it is readable now."""
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
    """Change the owner of `path` to the service user, if there is one."""
    user = owner()
    if user:
        os.chown(path, user.uid, user.gid)


def private_directory(path: Path) -> None:
    """Create the directory `path`, accessible only to the service user, and let that user reach it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    open_the_way(path)
    own(path)
