"""Rate of change: the difference quotient of a reading and an earlier one.

The earlier one is the latest that is `apart` or more before, and no more than `max_gap`: differences of neighbours
that are seconds apart are mostly noise, and over a gap nothing is known of when the value changed.

Source: QARTOD, rate of change test (IOOS, Manual for Real-Time Quality Control of In-situ Temperature and Salinity
Data, 2015), which takes the reading before, whatever the time between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rules.conditions.derived import DerivedCondition, Number
from rules.conditions.limits import limits_of
from rules.conditions.span import Instant, Reading
from rules.instants import to_span
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.values import RateOfChange

SLOTS = 16
"""Of `apart` at most one reading per slot is kept: what is compared is up to a sixteenth further apart."""


class RateMemory(NamedTuple):
    """The readings that may be compared with, oldest first, and the value of the last of all."""

    kept: tuple[Reading, ...] = ()
    last: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDerivation:
    """Readings to rates.

    Attributes:
        per: microseconds that a rate is told for.
    """

    per: Instant
    apart: Instant
    max_gap: Instant
    of: FlowKind

    @property
    def slot(self) -> Instant:
        """Tell how long a slot is."""
        return max(self.apart // SLOTS, 1)

    def initial(self) -> RateMemory:
        """Know no reading."""
        return RateMemory()

    def step(self, memory: RateMemory, seen: Reading) -> tuple[RateMemory, Number | None]:
        """Compare the next reading; of a register that falls begin anew."""
        if self.of is FlowKind.REGISTER and memory.last is not None and seen.value < memory.last:
            return RateMemory((seen,), seen.value), None
        old = sum(1 for reading in memory.kept if seen.at - reading.at >= self.apart)
        kept = memory.kept[max(old - 1, 0) :]
        number = self._rate(kept[0], seen) if old and seen.at - kept[0].at <= self.max_gap else None
        if not self.apart:
            kept = (seen,)
        elif not kept or kept[-1].at // self.slot != seen.at // self.slot:
            kept = (*kept, seen)
        return RateMemory(kept, seen.value), number

    def load(self, document: Sequence[Any]) -> RateMemory:
        """Read back a memory."""
        kept, last = document
        return RateMemory(tuple(Reading(*reading) for reading in kept), last)

    def _rate(self, before: Reading, seen: Reading) -> Number:
        rate = (seen.value - before.value) / (seen.at - before.at) * self.per
        return Number(rate, rate, (tuple(before), tuple(seen)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCondition(DerivedCondition):
    """Holds while a rate is beyond its limits."""

    derivation: RateDerivation


def compile_rate_of_change(rate: RateOfChange, hold_for: Instant) -> RateCondition:
    """Make the condition of a definition."""
    derivation = RateDerivation(
        per=to_span(rate.per), apart=to_span(rate.apart), max_gap=to_span(rate.max_gap), of=rate.of
    )
    return RateCondition(derivation=derivation, limits=limits_of(rate), hold_for=hold_for)
