"""One ping of loopback, made in the network namespace in which this runs; prints the outcome as JSON.

`python -m tests.actors.probes.ping_in_a_namespace GROUPS RIGHTS ADDRESS`: GROUPS is what net.ipv4.ping_group_range is set
to, RIGHTS is `raw` to keep what root may do, `none` to drop to an unprivileged user first.
"""

import fcntl
import json
import os
import socket
import struct
import sys
from pathlib import Path

UNPRIVILEGED_ID = 65534
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def main(groups: str, rights: str, address: str) -> None:
    """Raises `OSError` where this machine does not let a namespace be set up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _GET_FLAGS, request), 16)
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(groups)
    # Imported while root may still read what lies in its directories.
    from actors.probes import icmp_socket
    from tests.actors.probes.checking import check

    if rights == "none":
        os.setgroups([])
        os.setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        os.setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    kinds = []
    real = icmp_socket._open

    def noting(family: socket.AddressFamily) -> tuple[socket.socket, bool]:
        opened, raw = real(family)
        kinds.append("raw" if raw else "unprivileged")
        return opened, raw

    icmp_socket._open = noting
    outcome = check("ping_host", address, packetCount=2, timeoutSeconds=5)
    loss = outcome.details.get("packetLossPercent")
    print(json.dumps([kinds, outcome.status, outcome.reason, loss, outcome.message]))


if __name__ == "__main__":
    main(*sys.argv[1:])
