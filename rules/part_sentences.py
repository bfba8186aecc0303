"""What the parts of a combined condition look for, in words, within a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from rules.conditions.limits import Limited
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not, Part
from veldwatch.model.conditions.event import EventCondition, EventPattern, Told
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.usual import Baseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Stuck, Threshold, ValueChange
from veldwatch.model.spoken import duration_text, limit_text, metric_text, unit_text


def part_of(part: Part) -> str:
    """Say what a part looks for."""
    match part:
        case AllOf() | AnyOf():
            return (" and " if isinstance(part, AllOf) else " or ").join(_nested(one) for one in part.of)
        case Not():
            return f"not {_nested(part.of)}"
        case _:
            return _PARTS[type(part)](part)


def limit_of(condition: Limited, unit: str = "") -> str:
    """Say a limit, with its unit where that is known."""
    if condition.outside is not None:
        return f"outside {limit_text(condition.outside[0])} to {_limit(condition.outside[1], unit)}"
    if condition.above is not None:
        return f"above {_limit(condition.above, unit)}"
    return f"below {_limit(condition.below or 0.0, unit)}"


def limits_of(condition: Limited | Speed) -> tuple[float, ...]:
    """Give the limits that its value is told beside."""
    outside = condition.outside if not isinstance(condition, Speed) else None
    return outside or tuple(limit for limit in (condition.above, condition.below) if limit is not None)


def events_of(condition: EventCondition) -> str:
    """Say which events are meant."""
    return " or ".join(_pattern(pattern) for pattern in condition.events)


def speed_limit(condition: Speed) -> str:
    """Say the limit of a speed."""
    if condition.below is not None:
        return f"below {limit_text(condition.below)} km/h"
    if condition.below_percentile is not None:
        return "slower than it nearly ever is"
    return f"above {limit_text(condition.above or 0.0)} km/h"


def _limit(limit: float, unit: str) -> str:
    return f"{limit_text(limit)} {unit_text(unit)}".strip()


def _nested(part: Part) -> str:
    return f"({part_of(part)})" if isinstance(part, AllOf | AnyOf) else part_of(part)


def _event(part: EventCondition) -> str:
    if part.window is None:
        return f"told of {events_of(part)}"
    return f"told {part.count} times within {duration_text(part.window)} of {events_of(part)}"


def _geofence(part: Geofence) -> str:
    if part.event is GeofenceEvent.DWELL and part.duration is not None:
        return f"in the area for {duration_text(part.duration)}"
    if part.event is GeofenceEvent.OUTSIDE_WHEN_DUE:
        return f"not in the area between {part.due_from} and {part.due_to}"
    if part.event.is_of_line:
        return "the line crossed"
    return "in the area" if part.event is GeofenceEvent.ENTER else "out of the area"


def _pattern(pattern: EventPattern) -> str:
    asked = [f"{name} {' or '.join(_told(one) for one in values)}" for name, values in pattern.attributes.items()]
    asked += [f"{name} with {' or '.join(words)}" for name, words in pattern.words.items()]
    return pattern.kind + (f" ({', '.join(asked)})" if asked else "")


def _told(value: Told) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else limit_text(value)


def _change(part: ValueChange) -> str:
    return f"{part.of.value} of {metric_text(part.metric)} within {duration_text(part.window)} {limit_of(part)}"


def _repeat(part: Repeat) -> str:
    return f"{metric_text(part.metric)} {limit_of(part)} {part.count} times within {duration_text(part.window)}"


_PARTS: Mapping[type, Callable[[Any], str]] = {
    Threshold: lambda part: f"{metric_text(part.metric)} {limit_of(part)}",
    RateOfChange: lambda part: f"{metric_text(part.metric)} changes in {duration_text(part.per)} by {limit_of(part)}",
    ValueChange: _change,
    Repeat: _repeat,
    Stuck: lambda part: f"{metric_text(part.metric)} does not change for {duration_text(part.duration)}",
    Baseline: lambda part: f"{metric_text(part.metric)} is not as usual",
    ContinuousFlow: lambda part: f"{metric_text(part.metric)} does not stop for {duration_text(part.duration)}",
    NightFlow: lambda part: f"{metric_text(part.metric)} of the night is too high",
    Calculated: lambda part: f"{part.expression} {limit_of(part)}",
    Absence: lambda part: f"not heard for {duration_text(part.silent_for)}",
    EventCondition: _event,
    Geofence: _geofence,
    Near: lambda part: f"within {limit_text(part.distance_metres)} m of the place",
    Immobility: lambda part: f"moved less than {limit_text(part.radius_metres)} m for {duration_text(part.window)}",
    Speed: lambda part: f"speed over {duration_text(part.window)} {speed_limit(part)}",
}
