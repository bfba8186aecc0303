"""Change: how much a value changed within the window before each reading.

What is told are two bounds. What lies between the first reading in the window and this one surely happened within it:
an upper limit is judged by that, at once, and no gap can make it a false alarm. What lies between the last reading
before the window and this one is the most that can have: a lower limit is judged by that. Nothing is extrapolated.

A window is looked at in sixtieths: of each one the first figure, the lowest and the highest value are kept.

Source: that extrapolation makes increases that never were, and a window without the reading before it misses some that
were, is told at length in Prometheus' issues 3746 and 12967; bounds are our answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from rules.conditions.derived import DerivedCondition, Number
from rules.conditions.limits import limits_of
from rules.conditions.register_count import Count
from rules.conditions.span import Instant, Reading
from rules.instants import to_span
from veldwatch.model.conditions.values import Change, ValueChange

CELLS = 60
QUARTER = 4
"""Readings further apart than a quarter of the window cover no more than that quarter."""


class Cell(NamedTuple):
    """A sixtieth of a window: its first reading, with the register's figure, and its lowest and highest value."""

    at: Instant
    value: float
    figure: float
    low: float
    high: float


class ChangeMemory(NamedTuple):
    """The cells, oldest first, with the last one before the window, and where a register stands."""

    cells: tuple[Cell, ...] = ()
    register: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDerivation:
    """Readings to changes."""

    window: Instant
    of: Change
    min_coverage: float

    def initial(self) -> ChangeMemory:
        """Know no reading."""
        return ChangeMemory()

    def step(self, memory: ChangeMemory, seen: Reading) -> tuple[ChangeMemory, Number | None]:
        """Move the window on to this reading."""
        count = Count(seen.value) if memory.register is None else memory.register.then(seen.value)
        cells = self._added(memory.cells, seen, count.figure)
        edge = seen.at - self.window
        while len(cells) > 1 and cells[1].at < edge:
            cells = cells[1:]
        return ChangeMemory(cells, count), self._number(cells, edge, seen, count.figure)

    def load(self, document: Sequence[Any]) -> ChangeMemory:
        """Read back a memory."""
        cells, count = document
        return ChangeMemory(tuple(Cell(*cell) for cell in cells), None if count is None else _count(count))

    def _added(self, cells: tuple[Cell, ...], seen: Reading, figure: float) -> tuple[Cell, ...]:
        length = max(self.window // CELLS, 1)
        if cells and cells[-1].at // length == seen.at // length:
            last = cells[-1]
            grown = last._replace(low=min(last.low, seen.value), high=max(last.high, seen.value))
            return (*cells[:-1], grown)
        return (*cells, Cell(seen.at, seen.value, figure, seen.value, seen.value))

    def _number(self, cells: tuple[Cell, ...], edge: Instant, seen: Reading, figure: float) -> Number | None:
        before = cells[0] if cells[0].at < edge else None
        inside = cells[1:] if before else cells
        evidence = ((inside[0].at, inside[0].value), tuple(seen))
        match self.of:
            case Change.INCREASE:
                most = math.inf if before is None else figure - before.figure
                least = max(figure - inside[0].figure, 0.0)
                return Number(round(least, 6), round(max(most, 0.0), 6), evidence)
            case Change.RANGE:
                spread = max(cell.high for cell in inside) - min(cell.low for cell in inside)
                return Number(spread, spread if self._is_covered(cells, edge, seen) else math.inf, evidence)
            case Change.DIFFERENCE:
                if not self._is_covered(cells, edge, seen):
                    return None
                difference = round(seen.value - inside[0].value, 6)
                return Number(difference, difference, evidence)

    def _is_covered(self, cells: tuple[Cell, ...], edge: Instant, seen: Reading) -> bool:
        moments = [max(cell.at, edge) for cell in cells]
        steps = [after - before for before, after in pairwise([*moments, seen.at])]
        return sum(min(step, self.window // QUARTER) for step in steps) >= self.min_coverage * self.window


def compile_change(change: ValueChange, hold_for: Instant) -> DerivedCondition:
    """Make the condition of a definition."""
    derivation = ChangeDerivation(window=to_span(change.window), of=change.of, min_coverage=change.min_coverage)
    return DerivedCondition(derivation=derivation, limits=limits_of(change), hold_for=hold_for)


def _count(document: Sequence[Any]) -> Count:
    level, offset, doubt = document
    return Count(level, offset, None if doubt is None else tuple(doubt))
