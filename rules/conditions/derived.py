"""Derived numbers: conditions on what is made of observations, such as a rate, judged like a threshold.

A number that is not known changes nothing: an alert goes on through a gap, and none begins in it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from rules.conditions.levels import Judged, Level, worsened
from rules.conditions.limits import Limits
from rules.conditions.span import Evidence, Instant, Observation, Span, reached_after, span_from_json


class Number(NamedTuple):
    """What an observation makes known.

    Attributes:
        low: what the number is at least.
        high: what it is at most.
        evidence: the observations that it is made of.
    """

    low: float
    high: float
    evidence: Evidence


class Derivation(Protocol):
    """A pure fold from observations, oldest first, to numbers; its memory is bounded, and made of JSON's own types."""

    def initial(self) -> Any:  # noqa: ANN401  # its own memory
        """Remember nothing."""
        ...

    def step(self, memory: Any, seen: Any) -> tuple[Any, Number | None]:  # noqa: ANN401
        """Take the next observation; None: the number is not known."""
        ...

    def load(self, document: Any) -> Any:  # noqa: ANN401
        """Read back what JSON made of a memory."""
        ...


class DerivedState(NamedTuple):
    """What the derivation remembers, and the span that holds."""

    memory: Any
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedCondition:
    """Holds while a derived number is beyond its limits."""

    derivation: Derivation
    limits: Limits
    hold_for: Instant
    levels: tuple[Level, ...] = ()

    def initial(self, *, truncated: bool) -> DerivedState:  # noqa: ARG002  # what was cut off is not known
        """Hold nothing."""
        return DerivedState(self.derivation.initial())

    def step(self, state: DerivedState, seen: Observation) -> tuple[DerivedState, Span | None]:
        """Open a span when the number goes beyond, end it when it is well inside again."""
        memory, number = self.derivation.step(state.memory, seen)
        if number is None:
            return DerivedState(memory, state.span), None
        if state.span is None:
            if not self.limits.beyond(number.low, number.high):
                return DerivedState(memory), None
            value = number.low if number.low > self.limits.upper else number.high
            span = Span(seen.at, seen.at + self.hold_for, None, round(value, 6), number.evidence)
            return DerivedState(memory, worsened(span, self.levels, Judged(seen.at, number.low, number.high))), None
        if not self.limits.back(number.low, number.high):
            judged = Judged(seen.at, number.low, number.high)
            worse = worsened(state.span, self.levels, judged, number.evidence[-1:])
            return DerivedState(memory, worse), None
        evidence = (*state.span.evidence, *number.evidence[-1:])
        return DerivedState(memory), state.span._replace(ended_at=seen.at, evidence=evidence)

    def open_span(self, state: DerivedState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs an observation
        """Give the span that holds: pending until `hold_for` is over."""
        return state.span

    def wake_at(self, state: DerivedState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over."""
        return reached_after(state.span, now)

    def load(self, document: Any) -> DerivedState:  # noqa: ANN401  # a JSON value
        """Read back a state."""
        memory, span = document
        return DerivedState(self.derivation.load(memory), span_from_json(span))
