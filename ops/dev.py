"""`make dev`: start everything like `supercheck up`, with debug logs, and restart the processes when a file changes.

The embedded servers keep running. After adding a migration, run `supercheck migrate` or restart `make dev`.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from xmlrpc.client import Fault

from watchfiles import DefaultFilter, watch

import settings
from ops import installation, supervisor_client
from ops.up import code

#: Editors write a file in several steps; one restart is enough for all of them.
DEBOUNCE_MS = 400


def changes(paths: Iterable[Path], stop: threading.Event) -> Iterator[list[Path]]:
    """Yield the files that changed together below `paths`, until `stop` is set or Ctrl-C is pressed."""
    filter_ = DefaultFilter()
    for found in watch(*paths, watch_filter=filter_, debounce=DEBOUNCE_MS, stop_event=stop, raise_interrupt=False):
        yield sorted({Path(name) for _, name in found})


def main() -> None:
    """Run until the installation ends."""
    directory = installation.open_directory(settings.get().data_dir)
    environment = {"LOG_LEVEL": "DEBUG", **os.environ}
    installed = subprocess.Popen([sys.executable, "-m", "ops", "up"], env=environment)
    ended = threading.Event()

    def wait() -> None:
        installed.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    for files in changes(code(), ended):
        print(f"{files[0].name} changed: the processes restart.", flush=True)
        try:
            supervisor_client.restart_app(directory)
        except (OSError, Fault) as error:
            print(f"The processes cannot restart: {error}.", flush=True)
    # Ctrl-C reached the supervisor as well: wait until it has stopped its processes.
    sys.exit(installed.wait())


if __name__ == "__main__":
    main()
