"""Refreshes the lock files from setup.cfg: `python -m ops.lock`, that is `make lock`.

`requirements.lock` is what `make run` installs, `requirements-dev.lock` what the tests need besides. Both pin what builds
and installs, too, and name the hash of every file: pip refuses one that is another. The address of the package index
never gets into them.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {"requirements.lock": ("build", "embedded"), "requirements-dev.lock": ("build", "embedded", "test")}


def compile_lock(name: str, extras: tuple[str, ...]) -> None:
    """Write the lock file `name`: the newest versions that fit setup.cfg with `extras`."""
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--upgrade", "--strip-extras"]
    # pip and setuptools count as unsafe to pin there; an installation without them is not the same one each time.
    command += ["--generate-hashes", "--allow-unsafe"]
    command += ["--no-header", "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]
    command += [f"--extra={extra}" for extra in extras]
    subprocess.run([*command, "--output-file", name, "setup.cfg"], cwd=ROOT, check=True)


def main() -> None:
    """Refresh both."""
    for name, extras in FILES.items():
        compile_lock(name, extras)


if __name__ == "__main__":
    main()
