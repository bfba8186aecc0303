"""What an alert says where its rule has no message: one sentence for each kind of condition."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from rules.part_sentences import events_of, limit_of, part_of, speed_limit
from rules.targets import Target
from veldwatch.model.alert import Alert
from veldwatch.model.conditions.area import Balance, Neighbours, Proximity
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind, NightFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility, Near, Speed, Way
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.usual import Baseline, JointBaseline
from veldwatch.model.conditions.values import Change, RateOfChange, Repeat, Spike, Stuck, Threshold, ValueChange
from veldwatch.wire.durations import format_duration


def sentence_of(target: Target, alert: Alert) -> str:
    """Say what holds, in words of the condition."""
    return SENTENCES[type(target.rule.condition)](target.rule.condition, target, alert)


def spoken(time: datetime | None) -> str | None:
    """Write a time as messages do."""
    return None if time is None else f"{time:%-d %b %Y %H:%M:%S} UTC"


def _threshold(condition: Threshold, target: Target, alert: Alert) -> str:
    return f"{condition.metric} {limit_of(condition)}: {_shown(alert.value, target)}"


def _rate_of_change(condition: RateOfChange, target: Target, alert: Alert) -> str:
    per = format_duration(condition.per)
    return f"{condition.metric} changes by {_shown(alert.value, target)} in {per}, {limit_of(condition)}"


def _change(condition: ValueChange, target: Target, alert: Alert) -> str:
    did = {Change.INCREASE: "increased by", Change.RANGE: "varied by", Change.DIFFERENCE: "changed by"}[condition.of]
    window = format_duration(condition.window)
    return f"{condition.metric} {did} {_shown(alert.value, target)} within {window}, {limit_of(condition)}"


def _repeat(condition: Repeat, target: Target, alert: Alert) -> str:  # noqa: ARG001
    times = condition.count if alert.value is None else f"{alert.value:.0f}"
    window = format_duration(condition.window)
    return f"{condition.metric} {limit_of(condition)} {times} times, {condition.count} of them within {window}"


def _stuck(condition: Stuck, target: Target, alert: Alert) -> str:
    duration = format_duration(condition.duration)
    return f"{condition.metric} has not changed from {_shown(alert.value, target)} for {duration} or more"


def _spike(condition: Spike, target: Target, alert: Alert) -> str:
    return f"{condition.metric} stood out from the readings before and after by {_shown(alert.value, target)}"


def _calculated(condition: Calculated, target: Target, alert: Alert) -> str:
    return f"{condition.expression} is {limit_of(condition)}: {_shown(alert.value, target)}"


def _composite(condition: AllOf | AnyOf | Not, target: Target, alert: Alert) -> str:  # noqa: ARG001
    sentence = part_of(condition)
    return sentence[0].upper() + sentence[1:]


def _continuous_flow(condition: ContinuousFlow, target: Target, alert: Alert) -> str:  # noqa: ARG001  # as all
    return f"{condition.metric} showed flow without a pause for {format_duration(condition.duration)} or more"


def _baseline(condition: Baseline, target: Target, alert: Alert) -> str:
    return f"{condition.metric} is {_off(alert.value, target)} what is usual"


def _joint_baseline(condition: JointBaseline, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"{', '.join(condition.metrics)} together are not as usual"


def _night_flow(condition: NightFlow, target: Target, alert: Alert) -> str:
    unit = _unit(target)
    off = _amount(alert.value, f"{unit} an hour" if condition.of is FlowKind.REGISTER else unit)
    return f"{condition.metric} of the night is {off} too high"


def _event(condition: EventCondition, target: Target, alert: Alert) -> str:  # noqa: ARG001
    told = events_of(condition)
    if condition.window is None:
        return f"Told of: {told}"
    times = condition.count if alert.value is None else f"{alert.value:.0f}"
    window = format_duration(condition.window)
    return f"Told {times} times of: {told}, {condition.count} of them within {window}"


def _absence(condition: Absence, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"Not heard for {format_duration(condition.silent_for)} or more, last on {spoken(alert.opened_at)}"


def _area_outage(condition: AreaOutage, target: Target, alert: Alert) -> str:
    share = "Many" if alert.value is None else f"{alert.value:.0%}"
    return (
        f"{share} of the devices of {target.place.name} not heard for {format_duration(condition.silent_for)} or more"
    )


def _balance(condition: Balance, target: Target, alert: Alert) -> str:
    lost, stretch = _amount(alert.value, condition.unit), format_duration(condition.every)
    return f"{lost} went into {target.place.name} within {stretch} and were not metered"


def _neighbours(condition: Neighbours, target: Target, alert: Alert) -> str:
    return f"{condition.metric} is {_off(alert.value, target)} the median of its neighbours"


def _proximity(condition: Proximity, target: Target, alert: Alert) -> str:  # noqa: ARG001
    """Name the other tracker: the second value of the first stretch that shows them near."""
    observations: Any = alert.evidence.get("observations")
    if observations:
        return f"Within {_amount(alert.value, 'm')} of {observations[0][1][1]}"
    buckets: Any = alert.evidence.get("buckets")
    return f"Within {_amount(alert.value, 'm')} of {buckets[0]['values'][1] if buckets else 'another'}"


def _geofence(condition: Geofence, target: Target, alert: Alert) -> str:  # noqa: ARG001
    where = condition.site or (f"a {condition.sites_of_kind}" if condition.sites_of_kind else None)
    if condition.event is GeofenceEvent.DWELL:
        assert condition.duration is not None  # noqa: S101  # it has one
        return f"In {where or 'the area'} for {format_duration(condition.duration)} or more"
    if condition.event is GeofenceEvent.OUTSIDE_WHEN_DUE:
        return f"Not in {where or 'the area'} between {condition.due_from} and {condition.due_to}"
    return f"{_CROSSINGS[condition.event]} {where or ('the line' if condition.event.is_of_line else 'the area')}"


def _near(condition: Near, target: Target, alert: Alert) -> str:  # noqa: ARG001
    where = condition.site or condition.sites_of_kind or "the place"
    return f"Within {condition.distance_metres:g} m of {where}: {_amount(alert.value, 'm')}"


def _speed(condition: Speed, target: Target, alert: Alert) -> str:  # noqa: ARG001
    measured = "straight on, " if condition.of is Way.DISPLACEMENT else ""
    over = format_duration(condition.window)
    return f"{_amount(alert.value, 'km/h')} {measured}over {over}: {speed_limit(condition)}"


def _immobility(condition: Immobility, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"Moved less than {condition.radius_metres:g} m for {format_duration(condition.window)}"


def _shown(value: float | None, target: Target) -> str:
    return f"{value:.6g} {_unit(target)}".strip() if value is not None else "–"


def _off(value: float | None, target: Target) -> str:
    """Say how far away a value is, and to which side."""
    if value is None:
        return f"{_amount(None, '')} off"
    return f"{_amount(abs(value), _unit(target))} {'below' if value < 0 else 'above'}"


def _unit(target: Target) -> str:
    return target.series.unit if target.series else ""


def _amount(value: float | None, unit: str) -> str:
    return "an unknown amount" if value is None else f"{value:.6g} {unit}".strip()


_CROSSINGS = {
    GeofenceEvent.ENTER: "Entered",
    GeofenceEvent.EXIT: "Left",
    GeofenceEvent.CROSS: "Crossed",
    GeofenceEvent.LEFT_TO_RIGHT: "Crossed, to its right,",
    GeofenceEvent.RIGHT_TO_LEFT: "Crossed, to its left,",
}
SENTENCES: Mapping[type, Callable[[Any, Target, Alert], str]] = {
    Threshold: _threshold,
    RateOfChange: _rate_of_change,
    ValueChange: _change,
    Repeat: _repeat,
    Stuck: _stuck,
    Spike: _spike,
    Baseline: _baseline,
    JointBaseline: _joint_baseline,
    Calculated: _calculated,
    AllOf: _composite,
    AnyOf: _composite,
    Not: _composite,
    ContinuousFlow: _continuous_flow,
    NightFlow: _night_flow,
    Absence: _absence,
    EventCondition: _event,
    AreaOutage: _area_outage,
    Balance: _balance,
    Neighbours: _neighbours,
    Proximity: _proximity,
    Geofence: _geofence,
    Immobility: _immobility,
    Near: _near,
    Speed: _speed,
}
