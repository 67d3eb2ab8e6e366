"""`supercheck check URL`."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from ops import check_once
from ops.problem import Problem


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_good_answer_is_printed_with_its_timings(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_once.check_once(site, 5) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("up in ")
    assert "first byte" in printed
    assert "status code    200" in printed


def test_a_bad_answer_is_exit_code_1_with_the_reason(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_once.check_once(f"{site}/broken", 5) == 1
    assert "UNEXPECTED_STATUS" in capsys.readouterr().out


def test_an_open_port_is_up(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_once.check_once(site.replace("http://", "tcp://"), 5) == 0


@pytest.mark.parametrize(
    "url, complaint",
    [("gopher://host", "gopher://"), ("tcp://host", "no port"), ("http://", "no host"), ("http://h:0x/", "port")],
)
def test_a_url_that_means_nothing_is_refused_in_one_line(url: str, complaint: str) -> None:
    with pytest.raises(Problem, match=complaint) as caught:
        check_once.target_of(url, 5)
    assert "\n" not in str(caught.value)


def test_a_bare_host_is_asked_over_https() -> None:
    target = check_once.target_of("example.org", 5)
    assert (target.kind, target.address) == ("http_request", "https://example.org")
