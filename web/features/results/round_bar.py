"""The bar of newest rounds as SVG. In Python, not in a template: a list draws fifteen hundred of these beats."""

from collections.abc import Sequence

from flask import Flask
from markupsafe import Markup, escape

from web.features.results.rounds import Round
from web.ui.labels import STATES, counted, exact, milliseconds

#: The taller, the worse: the bar can be read without its colours.
_HEIGHTS = {"down": 24, "up": 18}
_OTHER_HEIGHT = 10
_WIDTH, _GAP = 6, 2
_STEP = _WIDTH + _GAP


def beats(rounds: Sequence[Round], count: int, wide: bool = False) -> Markup:
    """`rounds`, oldest first, as the right end of a bar with room for `count`."""
    missing = max(0, count - len(rounds))
    shapes = [
        f'<rect class="beat-none" x="{index * _STEP}" y="9" width="{_WIDTH}" height="6" rx="1.5"/>'
        for index in range(missing)
    ]
    shapes += [_beat(one, (missing + index) * _STEP) for index, one in enumerate(rounds)]
    look = "beats beats-wide" if wide else "beats"
    # Every text that comes from outside was escaped in `_beat`; the rest is numbers and words of ours.
    return Markup(  # noqa: S704
        f'<svg class="{look}" viewBox="0 0 {count * _STEP - _GAP} 24" preserveAspectRatio="none" role="img"'
        f' aria-label="{_summary(rounds)}">{"".join(shapes)}</svg>'
    )


def _beat(one: Round, x: int) -> str:
    height = _HEIGHTS.get(one.status, _OTHER_HEIGHT)
    told = [STATES[one.status][0], exact(one.scheduled_for)]
    if one.response_time_ms is not None:
        told.append(milliseconds(one.response_time_ms))
    if one.reason:
        told.append(str(escape(one.reason)))
    return (
        f'<rect class="state-{one.status}" x="{x}" y="{12 - height / 2:g}" width="{_WIDTH}" height="{height}" rx="1.5">'
        f"<title>{' · '.join(told)}</title></rect>"
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
    """Give the templates of `app` the function `beats`."""
    app.jinja_env.globals["beats"] = beats
