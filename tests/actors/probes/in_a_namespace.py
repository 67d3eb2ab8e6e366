"""What a check finds in a network namespace where nothing but loopback is: a worker that is cut off from every network.

`python -m tests.actors.probes.in_a_namespace` prints [kind, address, status, reason, message] of each check as JSON lines.
"""

import json

from tests.actors.probes.checking import check

TARGETS = (
    ("http_request", "http://192.0.2.7/", {}),
    ("http_request", "https://[2001:db8::7]/", {}),
    ("http_request", "http://no-such-host.example/", {}),
    ("port_check", "192.0.2.7", {"port": 80}),
    ("port_check", "2001:db8::7", {"port": 80}),
    ("port_check", "192.0.2.7", {"port": 53, "protocol": "udp"}),
    ("ping_host", "192.0.2.7", {}),
    ("ping_host", "2001:db8::7", {}),
    ("ping_host", "no-such-host.example", {}),
)


def main() -> None:
    for kind, address, config in TARGETS:
        outcome = check(kind, address, timeout=20, **config)
        print(json.dumps([kind, address, outcome.status, outcome.reason, outcome.message]), flush=True)


if __name__ == "__main__":
    main()
