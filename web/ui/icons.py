"""Icons from the sprite of Bootstrap-Flask, inlined so that they appear with the page."""

import re
from functools import lru_cache
from pathlib import Path

from flask import Flask
from markupsafe import Markup


def _sprite() -> str:
    import flask_bootstrap

    folder = Path(flask_bootstrap.__file__).parent
    return (folder / "static/bootstrap5/icons/bootstrap-icons.svg").read_text()


@lru_cache(maxsize=256)
def icon(name: str) -> Markup:
    """Return the icon `name` as inline SVG, hidden from screen readers. Raise `LookupError` if it does not exist."""
    match = re.search(rf'<symbol[^>]* id="{re.escape(name)}">(.*?)</symbol>', _sprite(), re.S)
    if match is None:
        raise LookupError(f"Bootstrap has no icon {name}")
    # The shapes are trusted: they come from the installed package.
    return Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">' + match[1] + "</svg>")  # noqa: S704


def init_app(app: Flask) -> None:
    """Add the function `icon` to the templates of `app`."""
    app.jinja_env.globals["icon"] = icon
