"""Whether this process would answer a ping, asked over a socket."""

import socket

import pytest
from flask import Flask

from tests.web.serving import served
from web.pings import routes as heartbeats
from web.pings import self_check


def test_a_server_that_answers_pings_is_open() -> None:
    app = Flask(__name__)
    heartbeats.init_app(app)
    with served(app) as (host, port):
        assert self_check.is_open(host, port)
        assert self_check.is_open("0.0.0.0", port)


def test_a_server_that_is_busy_or_silent_or_away_is_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Flask(__name__)
    busy.add_url_rule("/<path:_>", "busy", lambda _: ("busy", 503))
    with served(busy) as (host, port):
        assert not self_check.is_open(host, port)
    monkeypatch.setattr(self_check, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not self_check.is_open("127.0.0.1", silent.getsockname()[1])
    assert not self_check.is_open("127.0.0.1", 1)
