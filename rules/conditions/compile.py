"""From a rule's definition to the fold that carries it out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.conditions.absence import compile_absence
from rules.conditions.area_outage import compile_area_outage
from rules.conditions.balance import compile_balance
from rules.conditions.baseline import compile_baseline
from rules.conditions.bounds import compile_bounds
from rules.conditions.calculated import compile_calculated
from rules.conditions.change import compile_change
from rules.conditions.composite import compile_composite
from rules.conditions.continuous_flow import compile_continuous_flow
from rules.conditions.derived import DerivedCondition
from rules.conditions.event import compile_event
from rules.conditions.immobility import compile_immobility
from rules.conditions.joint_baseline import compile_joint_baseline
from rules.conditions.levels import levels_of
from rules.conditions.neighbours import compile_neighbours
from rules.conditions.night_flow import compile_night_flow
from rules.conditions.proximity import compile_proximity
from rules.conditions.rate_of_change import compile_rate_of_change
from rules.conditions.repeat import compile_repeat
from rules.conditions.span import Condition, Instant
from rules.conditions.speed import compile_speed
from rules.conditions.spike import compile_spike
from rules.conditions.stretches import StretchCondition
from rules.conditions.stuck import compile_stuck
from rules.conditions.threshold import ThresholdCondition, compile_threshold
from rules.instants import to_span
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.area import Balance, Neighbours, Proximity
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.usual import Baseline, JointBaseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Spike, Stuck, Threshold, ValueChange
from veldwatch.model.rule import Rule

WORSENING = (ThresholdCondition, DerivedCondition, StretchCondition)
"""Conditions that know how bad it is while it lasts."""

AnyCondition = Condition[Any, Any]
"""Which state and which observation a condition takes is decided here and nowhere else."""

WITH_OWN_TIME: Mapping[type, Callable[[Any], AnyCondition]] = {
    ContinuousFlow: compile_continuous_flow,
    NightFlow: compile_night_flow,
    Absence: compile_absence,
    AreaOutage: compile_area_outage,
    Immobility: compile_immobility,
    Repeat: compile_repeat,
    Stuck: compile_stuck,
    Spike: compile_spike,
    Speed: compile_speed,
}
WITH_HOLD_FOR: Mapping[type, Callable[[Any, Instant], AnyCondition]] = {
    Threshold: compile_threshold,
    EventCondition: compile_event,
    RateOfChange: compile_rate_of_change,
    ValueChange: compile_change,
    Baseline: compile_baseline,
    JointBaseline: compile_joint_baseline,
    Calculated: compile_calculated,
    AllOf: compile_composite,
    AnyOf: compile_composite,
    Not: compile_composite,
    Balance: compile_balance,
    Neighbours: compile_neighbours,
    Proximity: compile_proximity,
}


def compile_condition(rule: Rule, shapes: Sequence[str] = ()) -> AnyCondition:
    """Make the condition of a rule.

    Args:
        shapes: GeoJSON geometries of the sites that a condition on places names.

    Raises:
        RuleInvalid: it names sites, and none has such a geometry.
    """
    kind = type(rule.condition)
    if kind in WITH_OWN_TIME:
        return WITH_OWN_TIME[kind](rule.condition)
    if kind in WITH_HOLD_FOR:
        made = WITH_HOLD_FOR[kind](rule.condition, to_span(rule.hold_for))
        return made if not rule.escalate else _with_levels(made, rule)
    assert isinstance(rule.condition, (Geofence, Near))  # noqa: S101  # those that need more than their definition
    own = rule.condition.shape
    try:
        return compile_bounds(rule.condition, shapes if own is None else [own], to_span(rule.hold_for))
    except ValueError as error:
        raise RuleInvalid(_nowhere(rule.id, rule.condition)) from error


def _nowhere(rule: str, condition: Geofence | Near) -> str:
    """Say that sites which a rule names have no geometry that it could use."""
    field = "site" if condition.site is not None else "sites_of_kind"
    wanted = "a geometry"
    if isinstance(condition, Geofence):
        wanted = "a line" if condition.event.is_of_line else "a polygon"
    return (
        f"bad condition.{field} of rule {rule!r}: {(condition.site or condition.sites_of_kind)!r}"
        f" (expected a site of the device's organisation with {wanted})"
    )


def _with_levels(made: AnyCondition, rule: Rule) -> AnyCondition:
    """Let a condition that can get worse note when it did."""
    levels = levels_of(rule)
    assert not levels or isinstance(made, WORSENING)  # noqa: S101  # the reader refuses it
    return replace(made, levels=levels) if isinstance(made, WORSENING) else made
