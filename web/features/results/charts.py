"""The geometry of the response-time chart. A template draws it as SVG, which scales, with labels in HTML, which do not.

Charting libraries draw text into the image, so that it shrinks on a phone, and use inline styles, which the content
security policy forbids.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

WIDTH = 1000.0
HEIGHT = 240.0
_X_LABELS = 5
_MAX_STEPS = 5
_LOWEST_TOP_MS = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """One round, hour or day: times in milliseconds, None if nothing was measured, and counts of results."""

    at: datetime
    typical: float | None
    slow: float | None = None
    up: int = 0
    down: int = 0
    error: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """The column of one point, for the pointer. `x` is its left edge; its dot is at `middle` and `y`."""

    point: Point
    x: float
    width: float
    middle: float
    y: float | None


@dataclass(slots=True)
class Chart:
    """The shapes that the template draws. `y_labels` go from the top (milliseconds) to 0, `x_labels` from left to right."""

    typical: str = ""
    area: str = ""
    slow: str = ""
    slots: list[Column] = field(default_factory=list)
    y_labels: list[float] = field(default_factory=list)
    grid: list[float] = field(default_factory=list)
    x_labels: list[datetime] = field(default_factory=list)

    @property
    def label_format(self) -> str:
        """The format of the times below the chart."""
        span = self.slots[-1].point.at - self.slots[0].point.at
        if span > timedelta(days=2):
            return "%-d %b"
        return "%H:%M" if span > timedelta(hours=2) else "%H:%M:%S"

    @property
    def is_empty(self) -> bool:
        """Whether no point has a measurement."""
        return not self.typical

    @property
    def troubles(self) -> list[Column]:
        """The columns with failures or errors."""
        return [slot for slot in self.slots if slot.point.down or slot.point.error]


def response_chart(points: Sequence[Point]) -> Chart:
    """Return the chart of `points`, oldest first, all with the same width. Points without a time are gaps."""
    chart = Chart()
    if not points:
        return chart
    top, chart.y_labels = _scale(points)
    chart.grid = [_height(value, top) for value in chart.y_labels]
    step = WIDTH / len(points)
    for index, point in enumerate(points):
        y = None if point.typical is None else _height(point.typical, top)
        chart.slots.append(Column(point, _round(index * step), _round(step), _round((index + 0.5) * step), y))
    middles = [slot.middle for slot in chart.slots]
    typical = list(zip(middles, (slot.y for slot in chart.slots), strict=True))
    slow = [None if point.slow is None else _height(point.slow, top) for point in points]
    chart.typical = _line(typical)
    chart.area = _area(typical)
    chart.slow = _line(list(zip(middles, slow, strict=True)))
    chart.x_labels = _time_labels(points)
    return chart


def _scale(points: Sequence[Point]) -> tuple[float, list[float]]:
    """Return the highest value, and labels from it down to 0: at most `_MAX_STEPS` steps of 1, 2, 2.5 or 5 × 10^n."""
    values = [value for point in points for value in (point.typical, point.slow) if value is not None]
    highest = max(max(values, default=0.0), _LOWEST_TOP_MS)
    unit = 10.0 ** math.floor(math.log10(highest / _MAX_STEPS))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor * _MAX_STEPS >= highest)
    count = math.ceil(highest / step)
    return step * count, [step * index for index in range(count, -1, -1)]


def _round(value: float) -> float:
    return round(value, 1)


def _height(value: float, top: float) -> float:
    return _round(HEIGHT - HEIGHT * value / top)


def _runs(places: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Return the sections without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in places:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _line(places: Sequence[tuple[float, float | None]]) -> str:
    """Return an SVG path. A single point becomes a short line, so that it is visible."""
    parts = []
    for run in _runs(places):
        if len(run) == 1:
            x, y = run[0]
            run = [(x - 2, y), (x + 2, y)]  # noqa: PLW2901 - the widened point
        parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in run))
    return "".join(parts)


def _area(places: Sequence[tuple[float, float | None]]) -> str:
    return "".join(
        f"M{run[0][0]:g} {HEIGHT:g}L" + "L".join(f"{x:g} {y:g}" for x, y in run) + f"L{run[-1][0]:g} {HEIGHT:g}Z"
        for run in _runs(places)
        if len(run) > 1
    )


def _time_labels(points: Sequence[Point]) -> list[datetime]:
    """Return times at equal distances. Few points get fewer labels."""
    count = min(_X_LABELS, len(points))
    if count < 2:
        return [points[0].at]
    indexes = [round(position * (len(points) - 1) / (count - 1)) for position in range(count)]
    return [points[index].at.astimezone(UTC) for index in indexes]
