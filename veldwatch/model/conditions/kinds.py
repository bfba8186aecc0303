"""All kinds of conditions, and what can be asked of any of them.

`INPUT` says what a condition folds, `OWN_TIME` names the field that says how long it must last before it fires; None:
that is the rule's `hold_for`.
"""

from datetime import timedelta

from veldwatch.model.conditions.area import Balance, Neighbours, Proximity
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not, metrics_of_part
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.usual import Baseline, JointBaseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Spike, Stuck, Threshold, ValueChange

Condition = (
    Threshold
    | Baseline
    | JointBaseline
    | RateOfChange
    | ValueChange
    | Repeat
    | Stuck
    | Spike
    | Calculated
    | AllOf
    | AnyOf
    | Not
    | ContinuousFlow
    | NightFlow
    | Absence
    | EventCondition
    | Geofence
    | Immobility
    | AreaOutage
    | Balance
    | Neighbours
    | Proximity
    | Near
    | Speed
)

KINDS: dict[str, type[Condition]] = {
    "threshold": Threshold,
    "rate_of_change": RateOfChange,
    "change": ValueChange,
    "repeat": Repeat,
    "stuck": Stuck,
    "spike": Spike,
    "baseline": Baseline,
    "joint_baseline": JointBaseline,
    "calculated": Calculated,
    "all_of": AllOf,
    "any_of": AnyOf,
    "not": Not,
    "continuous_flow": ContinuousFlow,
    "night_flow": NightFlow,
    "absence": Absence,
    "event": EventCondition,
    "geofence": Geofence,
    "immobility": Immobility,
    "area_outage": AreaOutage,
    "balance": Balance,
    "neighbours": Neighbours,
    "proximity": Proximity,
    "near": Near,
    "speed": Speed,
}
"""By the name that documents give them."""


def kind_of(condition: Condition) -> str:
    """Name a condition's kind as documents do."""
    return next(name for name, kind in KINDS.items() if type(condition) is kind)


def metric_of(condition: Condition) -> str | None:
    """Name the metric whose readings a condition folds; None: it folds something else."""
    if condition.INPUT is not Input.READINGS:
        return None
    metric: object = getattr(condition, "metric", None)
    assert isinstance(metric, str)  # noqa: S101  # whatever folds readings names their metric
    return metric


def metrics_of(condition: Condition) -> tuple[str, ...]:
    """Name the metrics whose readings a condition folds together, by slot; empty: it folds something else."""
    match condition:
        case JointBaseline():
            return condition.metrics
        case Calculated() | AllOf() | AnyOf() | Not():
            return metrics_of_part(condition)
        case _:
            return ()


def own_time(condition: Condition) -> timedelta | None:
    """Give how long a condition must last before it fires; None: the rule's `hold_for` says so."""
    if condition.OWN_TIME is None:
        return None
    duration: object = getattr(condition, condition.OWN_TIME)
    assert isinstance(duration, timedelta)  # noqa: S101  # every field that OWN_TIME names is one
    return duration
