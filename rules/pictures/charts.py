"""What a picture is made of: charts over time, and maps. Moments are seconds since the test's start."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.pictures.axes import Axis, round_durations, round_numbers, written, written_duration


class Form(StrEnum):
    """How the points of a curve are joined."""

    STEPS = "steps"
    """A value counts until the next one."""
    LINE = "line"
    BARS = "bars"
    """Each stands for itself."""


class Scale(StrEnum):
    """What the values of a chart are."""

    NUMBERS = "numbers"
    DURATIONS = "durations"
    """In seconds."""

    def ticks(self, axis: Axis) -> list[float]:
        """Give the values at which there is a mark."""
        return round_numbers(axis) if self is Scale.NUMBERS else round_durations(axis)

    def written(self, value: float) -> str:
        """Write a value."""
        return written(value) if self is Scale.NUMBERS else written_duration(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Values over time.

    Attributes:
        points: (second, value), oldest first.
        faint: it is there for comparison.
        label: what it is, where a chart has several.
    """

    points: Sequence[tuple[float, float]]
    form: Form = Form.STEPS
    dotted: bool = True
    faint: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A value at which something begins or ends.

    Attributes:
        faint: it ends something.
    """

    value: float
    label: str
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves and limits over the test's time."""

    title: str
    curves: Sequence[Curve]
    limits: Sequence[Limit] = ()
    scale: Scale = Scale.NUMBERS

    def values(self) -> list[float]:
        """List all values that have to be seen."""
        values = [value for curve in self.curves for _, value in curve.points]
        if any(curve.form is Form.BARS for curve in self.curves):
            values.append(0.0)
        return values + [limit.value for limit in self.limits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An area on a map: its rings, in metres."""

    rings: Sequence[Sequence[tuple[float, float]]]
    faint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A track and areas, in metres east and north of any place.

    Attributes:
        track: (second, east, north), oldest first.
    """

    title: str
    track: Sequence[tuple[float, float, float]]
    outlines: Sequence[Outline] = ()


Part = Chart | Map
