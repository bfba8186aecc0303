"""Spike: one reading that stands out from both of its neighbours.

Its size is what it is away from the nearer of the two, and nothing where it lies between them: a step or a slope is no
spike. It is known once the next reading is there, which is when the alert fires, and ends.

Source: QARTOD, spike test (IOOS, Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data, 2015),
which takes the mean of the neighbours; that calls half a step a spike, which the nearer neighbour does not
(nor does the variant of the GTSPP, which takes half of the neighbours' difference away again).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.span import Instant, Reading, Span
from rules.instants import to_span
from veldwatch.model.conditions.values import Direction, Spike


class SpikeState(NamedTuple):
    """The last two readings."""

    before: Reading | None = None
    last: Reading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeCondition:
    """Holds from a reading that stands out to the next one."""

    above: float
    direction: Direction
    max_gap: Instant

    def initial(self, *, truncated: bool) -> SpikeState:  # noqa: ARG002  # neighbours are looked at, and no more
        """Know no reading."""
        return SpikeState()

    def step(self, state: SpikeState, seen: Reading) -> tuple[SpikeState, Span | None]:
        """Judge the reading before this one."""
        before, last = state
        moved = SpikeState(last, seen)
        if before is None or last is None:
            return moved, None
        if last.at - before.at > self.max_gap or seen.at - last.at > self.max_gap:
            return moved, None
        size = self._size(before.value, last.value, seen.value)
        if abs(size) <= self.above:
            return moved, None
        evidence = (tuple(before), tuple(last), tuple(seen))
        return moved, Span(last.at, seen.at, seen.at, round(size, 6), evidence)

    def open_span(self, state: SpikeState, now: Instant) -> Span | None:  # noqa: ARG002  # it is over when it is known
        """Hold nothing."""
        return None

    def wake_at(self, state: SpikeState, now: Instant) -> Instant | None:  # noqa: ARG002
        """Never wake."""
        return None

    def load(self, document: Sequence[Any]) -> SpikeState:
        """Read back a state."""
        before, last = document
        return SpikeState(None if before is None else Reading(*before), None if last is None else Reading(*last))

    def _size(self, before: float, value: float, after: float) -> float:
        """Give how far a value stands out, below 0 downwards; 0: not at all, or not to the side that is asked for."""
        up, down = value - max(before, after), value - min(before, after)
        if up > 0 and self.direction is not Direction.DOWN:
            return up
        return down if down < 0 and self.direction is not Direction.UP else 0.0


def compile_spike(spike: Spike) -> SpikeCondition:
    """Make the condition of a definition."""
    return SpikeCondition(above=spike.above, direction=spike.direction, max_gap=to_span(spike.max_gap))
