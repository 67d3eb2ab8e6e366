"""CSS and JavaScript, with Bootstrap's, under an address that changes with their content, so that browsers cache them.

The version is a folder of the address, so that modules that import each other by relative names share it.
"""

import hashlib
from pathlib import Path

import flask_bootstrap
from flask import Flask, Response, send_from_directory, url_for

FOLDER = Path(__file__).parent.parent / "static"
BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
_A_YEAR = 365 * 24 * 3600


def version() -> str:
    """Return a short hash of every file in the folder and of Bootstrap."""
    digest = hashlib.sha256()
    for file in (*sorted(FOLDER.iterdir()), BOOTSTRAP):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def init_app(app: Flask) -> None:
    """Serve the folder at `/assets/<version>/…` and add the function `asset` to the templates."""
    current = version()

    def serve(tag: str, filename: str) -> Response:
        # A page from before an upgrade requests the old version. It gets the new file, which it may not cache.
        folder = BOOTSTRAP.parent if filename == BOOTSTRAP.name else FOLDER
        response = send_from_directory(folder, filename, max_age=_A_YEAR if tag == current else 0)
        response.cache_control.public = True
        response.cache_control.immutable = tag == current
        return response

    def asset(filename: str) -> str:
        return url_for("asset", tag=current, filename=filename)

    app.add_url_rule("/assets/<tag>/<filename>", "asset", serve)
    app.jinja_env.globals["asset"] = asset
