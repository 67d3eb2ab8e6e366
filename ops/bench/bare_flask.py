"""A bare Flask route under the very server that pings come to: what an answer costs when nothing is done for it."""

from flask import Flask

app = Flask(__name__)


@app.get("/<path:_>")
def answer(_: str) -> tuple[str, dict[str, str]]:
    """The answer of a ping, and no work."""
    return "OK", {"Content-Type": "text/plain; charset=utf-8"}


if __name__ == "__main__":
    from ops import web_server

    web_server.serve("ops.bench.bare_flask:app")
