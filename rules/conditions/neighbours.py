"""Neighbours: a device that says something else than the others of its group.

It judges stretches of (own value, median of the group, its robust standard deviation, how many are known); see
`rules.grids.group`.
"""

from typing import Any

from rules.conditions.span import Instant
from rules.conditions.stretches import UNKNOWN, StretchCondition, Verdict
from rules.instants import to_span
from veldwatch.model.conditions.area import Deviation, Neighbours


def compile_neighbours(neighbours: Neighbours, hold_for: Instant) -> StretchCondition:
    """Make the condition of a definition; the value is by how much the device is off, in the metric's unit."""

    def judge(values: tuple[Any, ...], holds: bool) -> Verdict:  # noqa: ARG001  # ends where it begins
        own, median, spread, known = values
        if own is None or known < neighbours.at_least:
            return UNKNOWN
        off = own - median
        limit = max(neighbours.deviation * spread, neighbours.minimum)
        sided = {Deviation.ABOVE: off, Deviation.BELOW: -off, Deviation.BOTH: abs(off)}[neighbours.side]
        return Verdict(sided > limit, round(off, 6))

    return StretchCondition(
        judge=judge, every=to_span(neighbours.every), wait=to_span(neighbours.wait), hold_for=hold_for
    )
