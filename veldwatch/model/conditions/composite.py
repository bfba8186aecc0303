"""Conditions on several series of one device: combined, or calculated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.values import RateOfChange, Stuck, Threshold, ValueChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculated:
    """A number that is calculated from several series of a device, judged like a threshold.

    Exactly one of `above`, `below` and `outside` is given, in the number's unit.

    Attributes:
        expression: checked; see `veldwatch.wire.expressions`.
        names: metric by name in the expression, sorted by name; all that it uses.
        within: values older than this, counted from the latest one, are not used.
    """

    INPUT: ClassVar[Input] = Input.SAMPLES
    OWN_TIME: ClassVar[str | None] = None

    expression: str
    names: Mapping[str, str]
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0
    within: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """All of several conditions hold at once."""

    INPUT: ClassVar[Input] = Input.SAMPLES
    OWN_TIME: ClassVar[str | None] = None

    of: "tuple[Part, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One of several conditions holds, or more."""

    INPUT: ClassVar[Input] = Input.SAMPLES
    OWN_TIME: ClassVar[str | None] = None

    of: "tuple[Part, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """A condition does not hold, and that is known."""

    INPUT: ClassVar[Input] = Input.SAMPLES
    OWN_TIME: ClassVar[str | None] = None

    of: "Part"


Composite = Calculated | AllOf | AnyOf | Not
Part = Threshold | RateOfChange | ValueChange | Stuck | Calculated | AllOf | AnyOf | Not
"""What may be combined: conditions that hold or not at each reading, and which no passing of time alone ends."""


def metrics_of_part(condition: Part) -> tuple[str, ...]:
    """Name the metrics that a condition looks at, each once, in the order of its parts."""
    match condition:
        case Threshold() | RateOfChange() | ValueChange() | Stuck():
            return (condition.metric,)
        case Calculated():
            return tuple(dict.fromkeys(condition.names.values()))
        case AllOf() | AnyOf():
            return tuple(dict.fromkeys(metric for part in condition.of for metric in metrics_of_part(part)))
        case Not():
            return metrics_of_part(condition.of)


def can_hold(condition: Part, metrics: frozenset[str]) -> bool:
    """Tell whether a device with these metrics has what it takes for a condition to hold."""
    match condition:
        case AllOf():
            return all(can_hold(part, metrics) for part in condition.of)
        case AnyOf():
            return any(can_hold(part, metrics) for part in condition.of)
        case _:
            return metrics.issuperset(metrics_of_part(condition))
