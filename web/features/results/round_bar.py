"""The bar of the latest rounds as SVG. It is built in Python, because a list has hundreds of these shapes."""

from collections.abc import Sequence

from flask import Flask
from markupsafe import Markup, escape

from web.features.results.rounds import Round
from web.ui.labels import STATES, counted, exact, milliseconds

#: A worse status is taller, so that the bar can be read without colours.
_HEIGHTS = {"down": 24, "up": 18}
_OTHER_HEIGHT = 10
_WIDTH, _GAP = 6, 2
_STEP = _WIDTH + _GAP


def beats(rounds: Sequence[Round], count: int, wide: bool = False) -> Markup:
    """Return a bar with room for `count` rounds that ends with `rounds`, oldest first."""
    missing = max(0, count - len(rounds))
    shapes = [
        f'<rect class="beat-none" x="{index * _STEP}" y="9" width="{_WIDTH}" height="6" rx="1.5"/>'
        for index in range(missing)
    ]
    shapes += [_beat(round_, (missing + index) * _STEP) for index, round_ in enumerate(rounds)]
    look = "beats beats-wide" if wide else "beats"
    # `_beat` has escaped every text from outside. The rest is trusted.
    return Markup(  # noqa: S704
        f'<svg class="{look}" viewBox="0 0 {count * _STEP - _GAP} 24" preserveAspectRatio="none" role="img"'
        f' aria-label="{_summary(rounds)}">{"".join(shapes)}</svg>'
    )


def _beat(round_: Round, x: int) -> str:
    height = _HEIGHTS.get(round_.status, _OTHER_HEIGHT)
    title = [STATES[round_.status][0], exact(round_.scheduled_for)]
    if round_.response_time_ms is not None:
        title.append(milliseconds(round_.response_time_ms))
    if round_.reason:
        title.append(str(escape(round_.reason)))
    return (
        f'<rect class="state-{round_.status}" x="{x}" y="{12 - height / 2:g}" width="{_WIDTH}" height="{height}" rx="1.5">'
        f"<title>{' · '.join(title)}</title></rect>"
    )


def _summary(rounds: Sequence[Round]) -> str:
    if not rounds:
        return "No checks yet"
    states = [one.status for one in rounds]
    up, down = states.count("up"), states.count("down")
    unchecked = len(states) - up - down
    text = f"Last {counted(len(states), 'check')}: {up} up, {down} down"
    return f"{text}, {unchecked} could not be checked" if unchecked else text


def init_app(app: Flask) -> None:
    """Add the function `beats` to the templates of `app`."""
    app.jinja_env.globals["beats"] = beats
