"""Threshold: a value beyond a limit.

A value counts from its reading to the next one (a step function). With a dead-band the value must come back that far
inside before it ends, so that noise on the limit is one alert. `hold_for` is reached by time alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.levels import Judged, Level, worsened
from rules.conditions.limits import Limits, limits_of
from rules.conditions.span import Instant, Reading, Span, reached_after, span_from_json
from veldwatch.model.conditions.values import Threshold


class ThresholdState(NamedTuple):
    """The span that holds, if one does."""

    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdCondition:
    """Holds while the value is beyond its limits.

    Attributes:
        levels: at which it is worse.
    """

    limits: Limits
    hold_for: Instant
    levels: tuple[Level, ...] = ()

    def initial(self, *, truncated: bool) -> ThresholdState:  # noqa: ARG002  # the past of a step function is no matter
        """Hold nothing: a value is judged when it comes."""
        return ThresholdState()

    def step(self, state: ThresholdState, seen: Reading) -> tuple[ThresholdState, Span | None]:
        """Open a span when the value goes beyond, end it when it is well inside again."""
        if state.span is None:
            if not self.limits.beyond(seen.value):
                return state, None
            span = Span(seen.at, seen.at + self.hold_for, None, seen.value, (tuple(seen),))
            return ThresholdState(worsened(span, self.levels, Judged(seen.at, seen.value, seen.value))), None
        if not self.limits.back(seen.value):
            worse = worsened(state.span, self.levels, Judged(seen.at, seen.value, seen.value), (tuple(seen),))
            return (state if worse is state.span else ThresholdState(worse)), None
        ended = state.span._replace(ended_at=seen.at, evidence=(*state.span.evidence, tuple(seen)))
        return ThresholdState(), ended

    def open_span(self, state: ThresholdState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a reading
        """Give the span that holds: pending until `hold_for` is over."""
        return state.span

    def wake_at(self, state: ThresholdState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over."""
        return reached_after(state.span, now)

    def load(self, document: Sequence[Any]) -> ThresholdState:
        """Read back a state."""
        return ThresholdState(span_from_json(document[0]))

    def quiet_range(self, state: ThresholdState) -> tuple[float, float] | None:
        """Give the values, both included, that cannot change this state; None: no such range."""
        return self.limits.quiet_range(state.span, self.levels)


def compile_threshold(threshold: Threshold, hold_for: Instant) -> ThresholdCondition:
    """Make the condition of a definition."""
    return ThresholdCondition(limits=limits_of(threshold), hold_for=hold_for)
