"""Drawing charts and maps into a frame of the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rules.pictures import ink
from rules.pictures.axes import Axis, around, nice, written
from rules.pictures.charts import Chart, Curve, Form, Map

_MOST_DOTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where something is drawn: the time axis, and from which pixel to which from above."""

    time: Axis
    top: float
    bottom: float

    @property
    def left(self) -> float:
        """Give the pixel of the test's start."""
        return self.time.start

    @property
    def right(self) -> float:
        """Give the pixel of the test's end."""
        return self.time.end


Held = Sequence[tuple[float, float]]
"""From which second to which alerts held."""


def draw_chart(chart: Chart, frame: Frame, held: Held) -> Iterator[str]:
    """Draw the axis, the limits, and then the curves over them."""
    axis = around(chart.values(), frame.bottom, frame.top)
    for value in chart.scale.ticks(axis):
        y = axis.place(value)
        yield ink.line([(frame.left, y), (frame.right, y)], ink="grid")
        yield ink.text((frame.left - 8, y + 4), chart.scale.written(value), ink="faint", size=11, anchor="end")
    for curve in chart.curves:
        yield from _draw_curve(curve, frame, axis, held)
    for limit in chart.limits:
        y, tone = axis.place(limit.value), "faint" if limit.faint else "alarm"
        yield ink.line([(frame.left, y), (frame.right, y)], ink=tone, width=1.2, dashes="6 4")
    yield from _limit_labels(chart, frame, axis)
    yield ink.text((frame.left, frame.top - 6), chart.title, ink="faint")
    yield from _curve_labels(chart, frame, axis)


def draw_map(drawn: Map, frame: Frame, held: Held) -> Iterator[str]:
    """Draw areas and a track, north up, with a scale of metres."""
    spots = [(x, y) for _, x, y in drawn.track]
    spots += [spot for outline in drawn.outlines for ring in outline.rings for spot in ring]
    east, north = _axes(spots, frame)

    def place(x: float, y: float) -> tuple[float, float]:
        return east.place(x), north.place(y)

    for outline in drawn.outlines:
        rings = [[place(*spot) for spot in ring] for ring in outline.rings]
        tone, dashes = ("faint", "6 4") if outline.faint else ("over", "")
        yield ink.area(rings, ink=tone, dashes=dashes, opacity=0.0 if outline.faint else 0.12)
    if drawn.track:
        yield ink.line([place(x, y) for _, x, y in drawn.track], ink="faint", width=1.0)
    for moment, x, y in drawn.track:
        yield ink.dot(place(x, y), ink="alarm" if _holds(moment, held) else "seen", radius=3)
    if drawn.track:
        yield ink.text(_beside(place(*drawn.track[0][1:]), frame), "first", ink="faint", size=11)
    yield ink.text((frame.left, frame.top - 6), drawn.title, ink="faint")
    yield from _scale_bar(east, frame)


def _draw_curve(curve: Curve, frame: Frame, axis: Axis, held: Held) -> Iterator[str]:
    tone = "faint" if curve.faint else "seen"
    points = [(frame.time.place(moment), axis.place(value)) for moment, value in curve.points]
    if not points:
        return
    if curve.form is Form.BARS:
        for (moment, _), (x, y) in zip(curve.points, points, strict=True):
            colour = "alarm" if _holds(moment, held) and not curve.faint else tone
            yield ink.line([(x, axis.place(0.0)), (x, y)], ink=colour, width=2.5)
            yield ink.dot((x, y), ink=colour, radius=2)
        return
    steps = [step for one, two in pairwise(points) for step in (one, (two[0], one[1]))]
    yield ink.line([*steps, points[-1]] if curve.form is Form.STEPS else points, ink=tone, width=1.5)
    if curve.dotted and len(points) <= _MOST_DOTS:
        for (moment, _), spot in zip(curve.points, points, strict=True):
            yield ink.dot(spot, ink="alarm" if _holds(moment, held) and not curve.faint else tone)


def _limit_labels(chart: Chart, frame: Frame, axis: Axis) -> Iterator[str]:
    """Write limits at the right, each above its line, or below it where the one above is too near."""
    taken: list[float] = []
    for limit in sorted(chart.limits, key=lambda limit: -limit.value):
        y = axis.place(limit.value) - 5
        if any(abs(y - other) < 13 for other in taken):
            y += 19
        taken.append(y)
        yield ink.text(
            (frame.right - 4, y), limit.label, ink="faint" if limit.faint else "alarm", size=11, anchor="end"
        )


def _curve_labels(chart: Chart, frame: Frame, axis: Axis) -> Iterator[str]:
    for curve in chart.curves:
        if curve.label and curve.points:
            moment, value = curve.points[-1]
            place = (min(frame.time.place(moment) + 6, frame.right - 4), axis.place(value) - 6)
            yield ink.text(place, curve.label, ink="faint" if curve.faint else "seen", size=11, anchor="end")


def _axes(spots: Sequence[tuple[float, float]], frame: Frame) -> tuple[Axis, Axis]:
    """Fit places into a frame, as long to the north as to the east."""
    xs, ys = [x for x, _ in spots] or [0.0], [y for _, y in spots] or [0.0]
    width, height = frame.right - frame.left, frame.bottom - frame.top
    scale = max((max(xs) - min(xs)) / width, (max(ys) - min(ys)) / height, 0.01) * 1.2
    middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    return (
        Axis(low=middle[0] - scale * width / 2, high=middle[0] + scale * width / 2, start=frame.left, end=frame.right),
        Axis(
            low=middle[1] - scale * height / 2, high=middle[1] + scale * height / 2, start=frame.bottom, end=frame.top
        ),
    )


def _scale_bar(east: Axis, frame: Frame) -> Iterator[str]:
    metres = nice((east.high - east.low) / 10)
    length = metres / (east.high - east.low) * (east.end - east.start)
    start, y = frame.right - length - 4, frame.bottom - 6
    yield ink.line([(start, y - 4), (start, y), (start + length, y), (start + length, y - 4)], ink="faint", width=1.5)
    words = f"{written(metres)} m" if metres < 1000 else f"{written(metres / 1000)} km"
    yield ink.text((start + length / 2, y - 8), words, ink="faint", size=11, anchor="middle")


def _beside(place: tuple[float, float], frame: Frame) -> tuple[float, float]:
    return min(place[0] + 7, frame.right - 30), max(place[1] - 6, frame.top + 10)


def _holds(moment: float, held: Held) -> bool:
    return any(since <= moment <= until for since, until in held)
