"""Levels: limits beyond a condition's own, at which what holds is worse."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from rules.conditions.span import Evidence, Instant, Span
from veldwatch.model.rule import Rule


class Level(NamedTuple):
    """Worse is outside of these; what is not limited is infinite."""

    lower: float = -math.inf
    upper: float = math.inf

    def is_beyond(self, low: float, high: float) -> bool:
        """Tell whether a number that is at least `low` and at most `high` is surely worse than this."""
        return low > self.upper or high < self.lower


def levels_of(rule: Rule) -> tuple[Level, ...]:
    """List the levels of a rule's escalation, in the order of its steps."""
    return tuple(
        Level(
            -math.inf if step.below is None else step.below,
            math.inf if step.above is None else step.above,
        )
        for step in rule.escalate
        if step.above is not None or step.below is not None
    )


class Judged(NamedTuple):
    """When a number was judged, what it is at least, and at most."""

    at: Instant
    low: float
    high: float


def worsened(span: Span, levels: Sequence[Level], judged: Judged, evidence: Evidence = ()) -> Span:
    """Note which levels a number is the first to reach.

    Args:
        evidence: the observations that show it, kept where it reached one.
    """
    if not levels:
        return span
    before = span.levels or (None,) * len(levels)
    after = tuple(
        judged.at if was is None and level.is_beyond(judged.low, judged.high) else was
        for was, level in zip(before, levels, strict=True)
    )
    if after == before:
        return span
    return span._replace(
        levels=after, evidence=(*span.evidence, *(seen for seen in evidence if seen not in span.evidence))
    )
