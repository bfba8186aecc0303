"""What an alert says where its rule has no message: one sentence for each kind of condition."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rules.conditions.limits import Limited
from rules.part_sentences import events_of, limit_of, limits_of, part_of, speed_limit
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
from veldwatch.model.spoken import duration_text, limit_text, metric_text, quantity_text


def sentence_of(target: Target, alert: Alert) -> str:
    """Say what holds, in words of the condition."""
    sentence = SENTENCES[type(target.rule.condition)](target.rule.condition, target, alert)
    return sentence[:1].upper() + sentence[1:]


def spoken(time: datetime | None) -> str | None:
    """Write a time as messages do."""
    return None if time is None else f"{time:%-d %b %Y %H:%M:%S} UTC"


def _threshold(condition: Threshold, target: Target, alert: Alert) -> str:
    value = _shown(alert.value, target, limits_of(condition))
    return f"{metric_text(condition.metric)} {_limit(condition, target)}: {value}"


def _rate_of_change(condition: RateOfChange, target: Target, alert: Alert) -> str:
    changes = f"{_shown(alert.value, target, limits_of(condition))} in {duration_text(condition.per)}"
    return f"{metric_text(condition.metric)} changes by {changes}, {_limit(condition, target)}"


def _change(condition: ValueChange, target: Target, alert: Alert) -> str:
    did = {Change.INCREASE: "increased by", Change.RANGE: "varied by", Change.DIFFERENCE: "changed by"}[condition.of]
    change = f"{did} {_shown(alert.value, target, limits_of(condition))} within {duration_text(condition.window)}"
    return f"{metric_text(condition.metric)} {change}, {_limit(condition, target)}"


def _repeat(condition: Repeat, target: Target, alert: Alert) -> str:
    times = condition.count if alert.value is None else f"{alert.value:.0f}"
    said = f"{metric_text(condition.metric)} {_limit(condition, target)} {times} times"
    return f"{said}, {condition.count} of them within {duration_text(condition.window)}"


def _stuck(condition: Stuck, target: Target, alert: Alert) -> str:
    duration = duration_text(condition.duration)
    return f"{metric_text(condition.metric)} has not changed from {_shown(alert.value, target)} for {duration} or more"


def _spike(condition: Spike, target: Target, alert: Alert) -> str:
    return (
        f"{metric_text(condition.metric)} stood out from the readings before and after by {_shown(alert.value, target)}"
    )


def _calculated(condition: Calculated, target: Target, alert: Alert) -> str:
    value = _shown(alert.value, target, limits_of(condition))
    return f"The value of {condition.expression} is {_limit(condition, target)}: {value}"


def _composite(condition: AllOf | AnyOf | Not, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return part_of(condition)


def _continuous_flow(condition: ContinuousFlow, target: Target, alert: Alert) -> str:  # noqa: ARG001  # as all
    return (
        f"{metric_text(condition.metric)} showed flow without a pause for {duration_text(condition.duration)} or more"
    )


def _baseline(condition: Baseline, target: Target, alert: Alert) -> str:
    return f"{metric_text(condition.metric)} is {_off(alert.value, target)} what is usual"


def _joint_baseline(condition: JointBaseline, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"{', '.join(map(metric_text, condition.metrics))} together are not as usual"


def _night_flow(condition: NightFlow, target: Target, alert: Alert) -> str:
    off = _amount(alert.value, _unit(target)) + (" an hour" if condition.of is FlowKind.REGISTER else "")
    return f"{metric_text(condition.metric)} of the night is {off} too high"


def _event(condition: EventCondition, target: Target, alert: Alert) -> str:  # noqa: ARG001
    told = events_of(condition)
    if condition.window is None:
        return f"Told of: {told}"
    times = condition.count if alert.value is None else f"{alert.value:.0f}"
    window = duration_text(condition.window)
    return f"Told {times} times of: {told}, {condition.count} of them within {window}"


def _absence(condition: Absence, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"Not heard for {duration_text(condition.silent_for)} or more, last on {spoken(alert.opened_at)}"


def _area_outage(condition: AreaOutage, target: Target, alert: Alert) -> str:
    share = "Many" if alert.value is None else f"{alert.value:.0%}"
    return f"{share} of the devices of {target.place.name} not heard for {duration_text(condition.silent_for)} or more"


def _balance(condition: Balance, target: Target, alert: Alert) -> str:
    lost, stretch = _amount(alert.value, condition.unit), duration_text(condition.every)
    return f"{lost} went into {target.place.name} within {stretch} and were not metered"


def _neighbours(condition: Neighbours, target: Target, alert: Alert) -> str:
    return f"{metric_text(condition.metric)} is {_off(alert.value, target)} the median of its neighbours"


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
        return f"In {where or 'the area'} for {duration_text(condition.duration)} or more"
    if condition.event is GeofenceEvent.OUTSIDE_WHEN_DUE:
        return f"Not in {where or 'the area'} between {condition.due_from} and {condition.due_to}"
    return f"{_CROSSINGS[condition.event]} {where or ('the line' if condition.event.is_of_line else 'the area')}"


def _near(condition: Near, target: Target, alert: Alert) -> str:  # noqa: ARG001
    where = condition.site or condition.sites_of_kind or "the place"
    distance = condition.distance_metres
    return f"Within {limit_text(distance)} m of {where}: {_amount(alert.value, 'm', [distance])}"


def _speed(condition: Speed, target: Target, alert: Alert) -> str:  # noqa: ARG001
    measured = "straight on, " if condition.of is Way.DISPLACEMENT else ""
    over = duration_text(condition.window)
    return f"{_amount(alert.value, 'km/h', limits_of(condition))} {measured}over {over}: {speed_limit(condition)}"


def _immobility(condition: Immobility, target: Target, alert: Alert) -> str:  # noqa: ARG001
    return f"Moved less than {limit_text(condition.radius_metres)} m for {duration_text(condition.window)}"


def _shown(value: float | None, target: Target, limits: Sequence[float] = ()) -> str:
    return "–" if value is None else quantity_text(value, _unit(target), limits)


def _off(value: float | None, target: Target) -> str:
    """Say how far away a value is, and to which side."""
    if value is None:
        return f"{_amount(None, '')} off"
    return f"{_amount(abs(value), _unit(target))} {'below' if value < 0 else 'above'}"


def _limit(condition: Limited, target: Target) -> str:
    return limit_of(condition, _unit(target))


def _unit(target: Target) -> str:
    return target.series.unit if target.series else ""


def _amount(value: float | None, unit: str, limits: Sequence[float] = ()) -> str:
    return "an unknown amount" if value is None else quantity_text(value, unit, limits)


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
