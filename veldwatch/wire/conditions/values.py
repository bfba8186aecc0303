"""Documents of conditions on the values of one series."""

from datetime import timedelta
from typing import Any, NamedTuple

from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.values import (
    DEFAULT_GAP,
    Change,
    Direction,
    Occurrence,
    RateOfChange,
    Repeat,
    Spike,
    Stuck,
    Threshold,
    ValueChange,
)
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of
from veldwatch.wire.document_part import DocumentPart

_MOST_COUNTED = 100
_LIMITS = ("above", "below", "outside")
_NUMBER: dict[str, Any] = {"type": "number"}
_NOT_NEGATIVE: dict[str, Any] = {"type": "number", "minimum": 0}
_PAIR: dict[str, Any] = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}


class Limits(NamedTuple):
    """Limits as a document gives them."""

    above: float | None
    below: float | None
    outside: tuple[float, float] | None
    dead_band: float


def read_threshold(part: DocumentPart) -> Threshold:
    """Read a threshold."""
    limits = limits_of(part)
    return Threshold(metric=part.text("metric"), **limits._asdict())


def read_rate_of_change(part: DocumentPart) -> RateOfChange:
    """Read a rate of change."""
    limits = limits_of(part)
    condition = RateOfChange(
        metric=part.text("metric"),
        **limits._asdict(),
        per=part.duration_or("per", timedelta(hours=1), positive=True),
        apart=part.duration_or("apart", timedelta(0)),
        max_gap=part.duration_or("max_gap", DEFAULT_GAP, positive=True),
        of=part.choice("of", FlowKind, FlowKind.RATE),
    )
    if 2 * condition.apart > condition.max_gap:
        raise part.wrong("apart", part.raw("apart"), "expected at most half of max_gap, or no two readings may fit")
    return condition


def read_change(part: DocumentPart) -> ValueChange:
    """Read a change over a window."""
    limits = limits_of(part)
    return ValueChange(
        metric=part.text("metric"),
        **limits._asdict(),
        window=part.duration("window"),
        of=part.choice("of", Change),
        min_coverage=part.number_or("min_coverage", 0.8, lowest=0.0, highest=1.0),
    )


def read_repeat(part: DocumentPart) -> Repeat:
    """Read a repeat."""
    limits = limits_of(part)
    part.number("count")
    return Repeat(
        metric=part.text("metric"),
        **limits._asdict(),
        count=part.whole_or("count", 2, lowest=2, highest=_MOST_COUNTED),
        window=part.duration("window"),
        of=part.choice("of", Occurrence, Occurrence.EXCURSIONS),
    )


def read_stuck(part: DocumentPart) -> Stuck:
    """Read a stuck value."""
    if part.has("within") and part.has("outside"):
        raise part.wrong("outside", part.raw("outside"), "expected one of within and outside")
    return Stuck(
        metric=part.text("metric"),
        duration=part.duration("duration"),
        tolerance=part.number_or("tolerance", 0.0, lowest=0.0),
        at_least=part.whole_or("at_least", 6, lowest=2, highest=1_000_000),
        max_gap=part.duration("max_gap") if part.has("max_gap") else None,
        within=part.limits("within") if part.has("within") else None,
        outside=part.limits("outside") if part.has("outside") else None,
    )


def read_spike(part: DocumentPart) -> Spike:
    """Read a spike."""
    condition = Spike(
        metric=part.text("metric"),
        above=part.number("above", lowest=0.0),
        direction=part.choice("direction", Direction, Direction.BOTH),
        max_gap=part.duration_or("max_gap", DEFAULT_GAP, positive=True),
    )
    if not condition.above:
        raise part.wrong("above", condition.above, "expected more than nothing")
    return condition


def threshold_schemas() -> list[dict[str, Any]]:
    """Describe a threshold, by the limit that is given."""
    return by_limit("threshold", {"metric": TEXT}, ["metric"])


def rate_of_change_schemas() -> list[dict[str, Any]]:
    """Describe a rate of change, by the limit that is given."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "per": DURATION,
        "apart": DURATION,
        "max_gap": DURATION,
        "of": {"enum": [kind.value for kind in FlowKind]},
    }
    return by_limit("rate_of_change", properties, ["metric"])


def change_schemas() -> list[dict[str, Any]]:
    """Describe a change over a window, by the limit that is given."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "window": DURATION,
        "of": {"enum": [change.value for change in Change]},
        "min_coverage": {"type": "number", "minimum": 0, "maximum": 1},
    }
    return by_limit("change", properties, ["metric", "window", "of"])


def repeat_schemas() -> list[dict[str, Any]]:
    """Describe a repeat, by the limit that is given."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "count": {"type": "integer", "minimum": 2, "maximum": _MOST_COUNTED},
        "window": DURATION,
        "of": {"enum": [occurrence.value for occurrence in Occurrence]},
    }
    return by_limit("repeat", properties, ["metric", "count", "window"])


def stuck_schemas() -> list[dict[str, Any]]:
    """Describe a stuck value, by where it is looked at."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "duration": DURATION,
        "tolerance": _NOT_NEGATIVE,
        "at_least": {"type": "integer", "minimum": 2},
        "max_gap": DURATION,
    }
    required = ["metric", "duration"]
    scoped = [kind_of("stuck", {**properties, scope: _PAIR}, [*required, scope]) for scope in ("within", "outside")]
    return [kind_of("stuck", properties, required), *scoped]


def spike_schemas() -> list[dict[str, Any]]:
    """Describe a spike."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "above": {"type": "number", "exclusiveMinimum": 0},
        "direction": {"enum": [direction.value for direction in Direction]},
        "max_gap": DURATION,
    }
    return [kind_of("spike", properties, ["metric", "above"])]


def limits_of(part: DocumentPart) -> Limits:
    """Read the one limit that is given, and the dead-band."""
    limit = part.one_of(*_LIMITS)
    limits = Limits(
        above=part.number("above") if limit == "above" else None,
        below=part.number("below") if limit == "below" else None,
        outside=part.limits("outside") if limit == "outside" else None,
        dead_band=part.number_or("dead_band", 0.0, lowest=0.0),
    )
    if limits.outside is not None and 2 * limits.dead_band >= limits.outside[1] - limits.outside[0]:
        raise part.wrong("dead_band", limits.dead_band, "expected less than half the range, or it never ends")
    return limits


def by_limit(kind: str, properties: dict[str, Any], required: list[str]) -> list[dict[str, Any]]:
    """Describe a kind with limits, once for each of them."""
    return [
        kind_of(
            kind,
            {**properties, limit: _PAIR if limit == "outside" else _NUMBER, "dead_band": _NOT_NEGATIVE},
            [*required, limit],
        )
        for limit in _LIMITS
    ]
