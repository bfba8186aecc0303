"""From a rule's definition to the fold that carries it out."""

from typing import Any

from rules.conditions.absence import compile_absence
from rules.conditions.area_outage import compile_area_outage
from rules.conditions.continuous_flow import compile_continuous_flow
from rules.conditions.geofence import compile_geofence
from rules.conditions.immobility import compile_immobility
from rules.conditions.span import Condition
from rules.conditions.threshold import compile_threshold
from rules.instants import to_span
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.movement import Geofence, Immobility
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule

AnyCondition = Condition[Any, Any]
"""Which state and which observation a condition takes is decided here and nowhere else."""


def compile_condition(rule: Rule, site_polygon: str | None = None) -> AnyCondition:
    """Make the condition of a rule.

    Args:
        site_polygon: GeoJSON geometry of the site that a geofence names; None: it names none, or the site has none.

    Raises:
        RuleInvalid: a geofence names a site that has no polygon.
    """
    match rule.condition:
        case Threshold():
            return compile_threshold(rule.condition, to_span(rule.hold_for))
        case ContinuousFlow():
            return compile_continuous_flow(rule.condition)
        case Absence():
            return compile_absence(rule.condition)
        case AreaOutage():
            return compile_area_outage(rule.condition)
        case Immobility():
            return compile_immobility(rule.condition)
        case Geofence():
            polygon = rule.condition.polygon or site_polygon
            if polygon is None:
                raise RuleInvalid(
                    f"bad condition.site of rule {rule.id!r}: {rule.condition.site!r}"
                    " (expected a site of the device's organisation with a polygon)"
                )
            return compile_geofence(rule.condition, polygon, to_span(rule.hold_for))
