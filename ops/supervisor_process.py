"""The supervisor: `python -m ops.supervisor_process CONFIGURATION`. `supercheck up` replaces itself with it."""

import signal
import sys
from typing import Any

from supervisor import supervisord
from supervisor.options import ServerOptions


class Options(ServerOptions):  # type: ignore[misc]
    """Supervisor's options, with another meaning of SIGHUP."""

    def setsignals(self) -> None:
        """Stop everything on SIGHUP, which a closed terminal sends. Supervisor itself would restart everything."""
        super().setsignals()
        signal.signal(signal.SIGHUP, self._hung_up)

    def _hung_up(self, _number: int, frame: Any) -> None:
        self.signal_receiver.receive(signal.SIGTERM, frame)


def main(configuration: str) -> None:
    """Run the programs of `configuration` until a stop signal arrives."""
    options = Options()
    options.realize(["-n", "-c", configuration])
    options.first = True
    options.test = False
    supervisord.go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main(sys.argv[1])
