"""Which fold carries out a condition on a place."""

from collections.abc import Sequence
from typing import Any

from rules.conditions.geofence import compile_geofence, compile_near
from rules.conditions.line_crossing import compile_crossing
from rules.conditions.outside_when_due import compile_due
from rules.conditions.span import Condition, Instant
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Near


def compile_bounds(condition: Geofence | Near, shapes: Sequence[str], hold_for: Instant) -> Condition[Any, Any]:
    """Make the condition of a definition.

    Args:
        shapes: GeoJSON geometries.

    Raises:
        ValueError: none of them is of use to it.
    """
    if isinstance(condition, Near):
        return compile_near(condition, shapes, hold_for)
    if condition.event.is_of_line:
        return compile_crossing(condition, shapes, hold_for)
    if condition.event is GeofenceEvent.OUTSIDE_WHEN_DUE:
        return compile_due(condition, shapes, hold_for)
    return compile_geofence(condition, shapes, hold_for)
