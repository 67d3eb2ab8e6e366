"""The chart's geometry."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from web.features.results.charts import HEIGHT, WIDTH, Chart, Point, response_chart

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = st.lists(st.none() | st.floats(0, 300_000, allow_nan=False), min_size=1, max_size=60)


def chart(values: list[float | None], step: timedelta = timedelta(hours=1)) -> Chart:
    return response_chart([Point(START + step * index, value) for index, value in enumerate(values)])


def numbers(path: str) -> list[float]:
    return [float(word) for word in path.translate(str.maketrans("MLZ", "   ")).split()]


@given(TIMES)
def test_whatever_was_measured_stays_inside_the_picture(values: list[float | None]) -> None:
    drawn = chart(values)
    xs, ys = numbers(drawn.typical)[::2], numbers(drawn.typical)[1::2]
    assert all(-3 <= x <= WIDTH + 3 for x in xs)
    assert all(0 <= y <= HEIGHT for y in ys)
    assert len(drawn.slots) == len(values)
    assert drawn.is_empty == all(value is None for value in values)


@given(TIMES)
def test_the_scale_is_round_and_holds_every_value(values: list[float | None]) -> None:
    labels = chart(values).y_labels
    assert labels[-1] == 0
    assert labels == sorted(labels, reverse=True)
    assert 2 <= len(labels) <= 8
    assert labels[0] >= max((value for value in values if value is not None), default=0)


def test_a_gap_breaks_the_line() -> None:
    assert chart([10, 20, None, 20, 10]).typical.count("M") == 2


def test_a_lonely_point_can_be_seen() -> None:
    assert len(numbers(chart([None, 20, None]).typical)) == 4


def test_higher_is_slower() -> None:
    slots = chart([10, 100]).slots
    assert slots[0].y is not None
    assert slots[1].y is not None
    assert slots[1].y < slots[0].y


def test_columns_with_trouble_are_marked() -> None:
    points = [Point(START, 1.0, up=1), Point(START, 1.0, down=1), Point(START, None, error=1)]
    assert [slot.point for slot in response_chart(points).troubles] == points[1:]


def test_nothing_measured_draws_nothing() -> None:
    assert response_chart([]).is_empty


def test_long_spans_are_labelled_by_day_and_short_ones_by_second() -> None:
    assert chart([1, 2], timedelta(days=5)).label_format == "%-d %b"
    assert chart([1, 2], timedelta(hours=5)).label_format == "%H:%M"
    assert chart([1, 2], timedelta(minutes=5)).label_format == "%H:%M:%S"
