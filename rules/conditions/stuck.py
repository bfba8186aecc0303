"""Stuck: a value that does not change.

A run goes on while all of its values lie within `tolerance` of each other and readings come within `max_gap`; the
alert begins at its first reading, fires at the one that completes `duration` and the count, and ends at the first
reading that is another value. A gap ends no alert: what says the same after it is stuck still.

Source: QARTOD, flat line test (IOOS, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data,
2015), which counts readings; that a run must also last, without gaps, is ours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Instant, Reading, Span
from rules.instants import to_span
from veldwatch.model.conditions.values import Stuck


class StuckState(NamedTuple):
    """The run that the last reading belongs to.

    Attributes:
        first: its first reading; None: no run, for the last value is none that is looked at.
        low: its lowest value,
        high: and its highest.
        length: how many readings it has.
        reached: the reading at which it had lasted long enough.
    """

    last: Reading | None = None
    first: Reading | None = None
    low: float = 0.0
    high: float = 0.0
    length: int = 0
    reached: Reading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckCondition:
    """Holds while a value stays.

    Attributes:
        lower: values from here
        upper: to here, both included, are looked at,
        outwards: or those that are not.
    """

    duration: Instant
    tolerance: float
    at_least: int
    max_gap: Instant
    lower: float
    upper: float
    outwards: bool

    def initial(self, *, truncated: bool) -> StuckState:  # noqa: ARG002  # a run counts from what is seen
        """Know nothing."""
        return StuckState()

    def step(self, state: StuckState, seen: Reading) -> tuple[StuckState, Span | None]:
        """Go on with the run, or end it and begin another."""
        looked_at = self.looks_at(seen.value)
        near = state.last is not None and seen.at - state.last.at <= self.max_gap
        if state.first is not None and looked_at and (near or state.reached is not None):
            low, high = min(state.low, seen.value), max(state.high, seen.value)
            if high - low <= self.tolerance:
                return self._longer(StuckState(seen, state.first, low, high, state.length + 1, state.reached)), None
        ended = self._span(state, seen) if state.reached is not None else None
        if not looked_at:
            return StuckState(last=seen), ended
        if state.first is not None and state.last is not None and near:
            low, high = min(state.last.value, seen.value), max(state.last.value, seen.value)
            if high - low <= self.tolerance:
                return self._longer(StuckState(seen, state.last, low, high, 2)), ended
        return StuckState(seen, seen, seen.value, seen.value, 1), ended

    def open_span(self, state: StuckState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a reading
        """Give the run once it has lasted long enough."""
        return self._span(state, None) if state.reached is not None else None

    def wake_at(self, state: StuckState, now: Instant) -> Instant | None:  # noqa: ARG002  # only readings change it
        """Never wake."""
        return None

    def load(self, document: Sequence[Any]) -> StuckState:
        """Read back a state."""
        last, first, low, high, length, reached = document
        return StuckState(_reading(last), _reading(first), low, high, length, _reading(reached))

    def looks_at(self, value: float) -> bool:
        """Tell whether a value is looked at."""
        return (self.lower <= value <= self.upper) is not self.outwards

    def _longer(self, state: StuckState) -> StuckState:
        first, last = state.first, state.last
        if state.reached is not None or first is None or last is None:
            return state
        if last.at - first.at < self.duration or state.length < self.at_least:
            return state
        return state._replace(reached=last)

    def _span(self, state: StuckState, ending: Reading | None) -> Span:
        first, reached = state.first, state.reached
        if first is None or reached is None:
            raise AssertionError(f"a run that counts has a first reading and one that completes it: {state!r}")
        seen = [first, reached] if ending is None else [first, reached, ending]
        evidence = tuple(tuple(reading) for reading in seen)
        return Span(first.at, reached.at, None if ending is None else ending.at, first.value, evidence)


def compile_stuck(stuck: Stuck) -> StuckCondition:
    """Make the condition of a definition."""
    lower, upper = stuck.within or stuck.outside or (-math.inf, math.inf)
    return StuckCondition(
        duration=to_span(stuck.duration),
        tolerance=stuck.tolerance,
        at_least=stuck.at_least,
        max_gap=to_span(stuck.duration) // 2 if stuck.max_gap is None else to_span(stuck.max_gap),
        lower=lower,
        upper=upper,
        outwards=stuck.outside is not None,
    )


def _reading(document: Sequence[Any] | None) -> Reading | None:
    return None if document is None else Reading(*document)
