"""Icons: single shapes out of the sprite that Bootstrap-Flask ships, inlined so that none flickers in."""

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
    """The icon `name` as decorative inline SVG: the word beside it speaks. Raises `LookupError`."""
    match = re.search(rf'<symbol[^>]* id="{re.escape(name)}">(.*?)</symbol>', _sprite(), re.S)
    if match is None:
        raise LookupError(f"Bootstrap has no icon {name}")
    # The shapes come from the installed package, not from outside.
    return Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">' + match[1] + "</svg>")  # noqa: S704


def init_app(app: Flask) -> None:
    """Give the templates of `app` the function `icon`."""
    app.jinja_env.globals["icon"] = icon
