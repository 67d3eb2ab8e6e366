"""The processes of the Procfile, by name: `python -m ops.processes NAME` is `supercheck run NAME` without the command line.

Each imports only what it runs: memory counts.
"""

import importlib
import os
import sys

import settings

#: Name -> module, function, arguments.
PROCESSES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "web": ("ops.web_server", "serve", ()),
    "scheduler": ("scheduling.clock", "main", ()),
    "worker": ("actors.worker", "main", ("worker",)),
    "check_worker": ("actors.worker", "main", ("check_worker",)),
}


def run(name: str) -> None:
    """Be the process `name` until it is told to stop. Raises `SettingsError`."""
    os.environ.setdefault("SUPERCHECK_PROCESS", name)
    # structlog imports rich where a developer's tools have installed it: 4 MiB in every process, for colours of tracebacks.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    settings.require_servers(settings.get())
    module, function, arguments = PROCESSES[name]
    getattr(importlib.import_module(module), function)(*arguments)


if __name__ == "__main__":
    try:
        run(sys.argv[1])
    except settings.SettingsError as error:
        sys.exit(f"supercheck: {error}")
