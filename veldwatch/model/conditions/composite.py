"""Conditions on one device that are combined, or calculated from several of its series."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.usual import Baseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Stuck, Threshold, ValueChange


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
OfReadings = Threshold | RateOfChange | ValueChange | Repeat | Stuck | Baseline | ContinuousFlow | NightFlow
OfFixes = Geofence | Near | Immobility | Speed
Part = OfReadings | OfFixes | Calculated | Absence | EventCondition | AllOf | AnyOf | Not
"""What may be combined: conditions on one device that hold for some time. A spike is over when it is known, and what is
about many devices is known only when a stretch of time is over: neither can hold at once with something else."""

_OTHERS = (Input.CONTACTS, Input.EVENTS, Input.POSITIONS)


def leaves_of(condition: Part) -> Iterator[Part]:
    """List the conditions that are combined."""
    match condition:
        case AllOf() | AnyOf():
            for part in condition.of:
                yield from leaves_of(part)
        case Not():
            yield from leaves_of(condition.of)
        case _:
            yield condition


def metrics_of_part(condition: Part) -> tuple[str, ...]:
    """Name the metrics that a condition looks at, each once, in the order of its parts."""
    named: list[str] = []
    for leaf in leaves_of(condition):
        if isinstance(leaf, Calculated):
            named += leaf.names.values()
        elif isinstance(leaf, OfReadings):
            named.append(leaf.metric)
    return tuple(dict.fromkeys(named))


def others_of_part(condition: Part) -> tuple[Input, ...]:
    """Tell what else than readings a condition looks at, each once."""
    found = {leaf.INPUT for leaf in leaves_of(condition)}
    return tuple(other for other in _OTHERS if other in found)


def kinds_of_part(condition: Part) -> tuple[str, ...]:
    """Name the kinds of events that a condition looks at, sorted."""
    leaves = (leaf for leaf in leaves_of(condition) if isinstance(leaf, EventCondition))
    return tuple(sorted({kind for leaf in leaves for kind in leaf.kinds()}))


def can_hold(condition: Part, metrics: frozenset[str]) -> bool:
    """Tell whether a device with these metrics has what it takes for a condition to hold."""
    match condition:
        case AllOf():
            return all(can_hold(part, metrics) for part in condition.of)
        case AnyOf():
            return any(can_hold(part, metrics) for part in condition.of)
        case _:
            return metrics.issuperset(metrics_of_part(condition))
