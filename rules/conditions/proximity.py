"""Proximity: two trackers near each other.

It judges stretches of (least distance in metres, name of the other), see `rules.grids.company`; a stretch in which
there were no two fixes to compare says nothing. It is over once they were seen half as far again apart.
"""

from typing import Any

from rules.conditions.span import Instant
from rules.conditions.stretches import UNKNOWN, StretchCondition, Verdict
from rules.instants import to_span
from veldwatch.model.conditions.area import Proximity

_APART = 1.5
"""Of the distance that alarms: so far apart they have parted, and do not only waver."""


def compile_proximity(proximity: Proximity, hold_for: Instant) -> StretchCondition:
    """Make the condition of a definition; the value is the distance in metres."""

    def judge(values: tuple[Any, ...], holds: bool) -> Verdict:  # as every judge
        distance = values[0]
        if distance is None:
            return UNKNOWN
        limit = proximity.distance_metres * (_APART if holds else 1.0)
        return Verdict(distance <= limit, distance)

    return StretchCondition(
        judge=judge, every=to_span(proximity.every), wait=to_span(proximity.wait), hold_for=hold_for
    )
