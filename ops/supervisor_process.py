"""The supervisor itself: `python -m ops.supervisor_process CONFIGURATION`, which `supercheck up` becomes."""

import signal
import sys
from typing import Any

from supervisor import supervisord
from supervisor.options import ServerOptions


class Options(ServerOptions):  # type: ignore[misc]
    """Supervisor's options, with one signal read differently."""

    def setsignals(self) -> None:
        """A closed terminal ends everything; supervisor's own meaning would start it all again without one."""
        super().setsignals()
        signal.signal(signal.SIGHUP, self._hung_up)

    def _hung_up(self, _number: int, frame: Any) -> None:
        self.signal_receiver.receive(signal.SIGTERM, frame)


def main(configuration: str) -> None:
    """Run the programs of `configuration` until we are told to stop."""
    options = Options()
    options.realize(["-n", "-c", configuration])
    options.first = True
    options.test = False
    supervisord.go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main(sys.argv[1])
