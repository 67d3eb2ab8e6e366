"""A bare Flask route under the same server as pings: the cost of a response without any work."""

from flask import Flask

app = Flask(__name__)


@app.get("/<path:_>")
def answer(_: str) -> tuple[str, dict[str, str]]:
    """Return the response of a ping."""
    return "OK", {"Content-Type": "text/plain; charset=utf-8"}


if __name__ == "__main__":
    from ops import web_server

    web_server.serve("ops.bench.bare_flask:app")
