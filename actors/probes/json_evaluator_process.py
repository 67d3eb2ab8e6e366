"""The process that evaluates JSON paths in large responses: `python -m actors.probes.json_evaluator_process FD BYTES`."""

import json
import os
import resource
import sys
from multiprocessing.connection import Connection
from typing import Any

from actors.probes import json_path
from actors.probes.json_evaluator import TOO_MUCH_MEMORY

#: Processor time per response.
SECONDS = 2.0
_IDLE_SECONDS = 60.0


def serve(descriptor: int, memory: int) -> None:
    """Serve requests until the connection closes or the process is idle, within `memory` bytes."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    os.nice(5)
    connection = Connection(descriptor)
    connection.send_bytes(b"ready")
    while connection.poll(_IDLE_SECONDS):
        try:
            path, expected = json.loads(connection.recv_bytes())
            text = connection.recv_bytes().decode("utf-8", "surrogatepass")
        except EOFError:
            return
        connection.send_bytes(_answer(path, expected, text).encode())


def _answer(path: str, expected: Any, text: str) -> str:
    try:
        return json_path.mismatch(path, expected, text, SECONDS)
    except MemoryError:
        return TOO_MUCH_MEMORY


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
