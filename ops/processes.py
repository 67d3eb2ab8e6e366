"""Run a process of the Procfile: `python -m ops.processes NAME` does the same as `supercheck run NAME`.

Each process imports only the modules that it runs, to save memory.
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
    """Run as the process `name` until it is stopped. Raise `SettingsError` if a setting is missing."""
    os.environ.setdefault("SUPERCHECK_PROCESS", name)
    # structlog imports rich if it is installed: that costs 4 MiB in each process, only to colour tracebacks.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    settings.require_servers(settings.get())
    module, function, arguments = PROCESSES[name]
    getattr(importlib.import_module(module), function)(*arguments)


if __name__ == "__main__":
    try:
        run(sys.argv[1])
    except settings.SettingsError as error:
        sys.exit(f"supercheck: {error}")
