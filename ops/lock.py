"""Refresh the lock files from setup.cfg: `python -m ops.lock` or `make lock`.

`make run` installs `requirements.lock`; the tests also need `requirements-dev.lock`. Both pin the build tools too, and list
the hash of every file, so that pip refuses a changed one. They do not contain the address of the package index.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {"requirements.lock": ("build", "embedded"), "requirements-dev.lock": ("build", "embedded", "test")}


def compile_lock(name: str, extras: tuple[str, ...]) -> None:
    """Write the lock file `name` with the newest versions that setup.cfg allows for `extras`."""
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--upgrade", "--strip-extras"]
    # pip-tools skips pip and setuptools by default; pin them too, so that installations are reproducible.
    command += ["--generate-hashes", "--allow-unsafe"]
    command += ["--no-header", "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]
    command += [f"--extra={extra}" for extra in extras]
    subprocess.run([*command, "--output-file", name, "setup.cfg"], cwd=ROOT, check=True)


def main() -> None:
    """Refresh both lock files."""
    for name, extras in FILES.items():
        compile_lock(name, extras)


if __name__ == "__main__":
    main()
