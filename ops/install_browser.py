"""Install a Chromium for the browser tests: `python -m ops.install_browser`, part of `make test`.

As root on Debian it installs the package `chromium`, otherwise Playwright's download. If neither is possible, the
browser tests are skipped; in CI this is a failure.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
TRIES: tuple[tuple[str, ...], ...] = (
    ("apt-get", "update", "-q"),
    ("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"),
)
LIMIT_SECONDS = 900


def found() -> bool:
    """Return whether a browser is installed that Playwright can use."""
    if any(map(shutil.which, NAMES)):
        return True
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    return any(cache.glob("chromium*"))


def _succeeds(command: tuple[str, ...]) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def install() -> bool:
    """Try to install a browser; return whether one is installed now."""
    print("Installing a browser for the tests (the first time only) …", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get") and all(map(_succeeds, TRIES)):
        return found()
    return _succeeds((sys.executable, "-m", "playwright", "install", "chromium")) and found()


def main() -> None:
    """Install a browser if there is none; exit with code 1 if that fails in CI."""
    if found() or install():
        return
    print(
        "No Chromium could be installed: the browser tests are skipped. Install Debian's package chromium to run them.",
        file=sys.stderr,
    )
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        sys.exit(1)


if __name__ == "__main__":
    main()
