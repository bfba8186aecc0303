"""What an alert says where its rule has no message: one sentence for each kind of condition."""

from datetime import datetime

from rules.targets import Target
from veldwatch.model.alert import Alert
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.values import Threshold
from veldwatch.wire.durations import format_duration


def sentence_of(target: Target, alert: Alert) -> str:
    """Say what holds, in words of the condition."""
    rule = target.rule
    match rule.condition:
        case Threshold() as condition:
            return f"{condition.metric} {_limit(condition)}: {_shown(alert.value, target)}"
        case ContinuousFlow() as condition:
            return f"{condition.metric} showed flow without a pause for {format_duration(condition.duration)} or more"
        case Absence() as condition:
            heard = spoken(alert.opened_at)
            return f"Not heard for {format_duration(condition.silent_for)} or more, last on {heard}"
        case AreaOutage() as condition:
            share = "many" if alert.value is None else f"{alert.value:.0%}"
            silent = format_duration(condition.silent_for)
            return f"{share} of the devices of {target.place.name} not heard for {silent} or more"
        case Geofence() as condition:
            verb = "Entered" if condition.event is GeofenceEvent.ENTER else "Left"
            return f"{verb} {condition.site or 'the area'}"
        case Immobility() as condition:
            return f"Moved less than {condition.radius_metres:g} m for {format_duration(condition.window)}"


def spoken(time: datetime | None) -> str | None:
    """Write a time as messages do."""
    return None if time is None else f"{time:%-d %b %Y %H:%M:%S} UTC"


def _limit(condition: Threshold) -> str:
    if condition.outside is not None:
        return f"outside {condition.outside[0]:g} to {condition.outside[1]:g}"
    return f"above {condition.above:g}" if condition.above is not None else f"below {condition.below:g}"


def _shown(value: float | None, target: Target) -> str:
    unit = target.series.unit if target.series else ""
    return f"{value:.6g} {unit}".strip() if value is not None else "–"
