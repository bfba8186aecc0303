"""The table of calculated fields."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from rules.conditions.calculated import CalculatedDerivation
from rules.conditions.derived import DerivedCondition, DerivedState
from rules.conditions.span import Instant, Reading
from rules.screening.expressions import evaluate
from rules.screening.limits import Ranges
from rules.screening.table import NONE, Floats, Instants, Mask, Slots, places
from veldwatch.wire.expressions import Expression


class CalculatedTable:
    """Calculated fields: the last value of each series, and which expression is made of them."""

    def __init__(self, conditions: Sequence[DerivedCondition]) -> None:
        self._conditions = conditions
        derivations = [cast("CalculatedDerivation", condition.derivation) for condition in conditions]
        self._within = np.array([derivation.within for derivation in derivations], np.int64)
        self._width = np.array([derivation.width for derivation in derivations], np.int64)
        widest = max((derivation.width for derivation in derivations), default=0)
        self._at = np.full((len(conditions), widest), NONE)
        self._value = np.zeros((len(conditions), widest))
        self._ranges = Ranges(len(conditions))
        # The same expression of the same slots is calculated once, whatever rules have it.
        numbers: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
        self._expressions: list[tuple[Expression, tuple[tuple[str, int], ...]]] = []
        self._formula = np.zeros(len(conditions), np.int64)
        for slot, derivation in enumerate(derivations):
            names = tuple(derivation.slots)
            key = derivation.expression.text, names
            if key not in numbers:
                numbers[key] = len(self._expressions)
                self._expressions.append((derivation.expression, names))
            self._formula[slot] = numbers[key]

    def hold(self, slot: int, state: DerivedState) -> bool:
        """Take a state up, if one range of numbers keeps it."""
        for place, last in enumerate(state.memory):
            self._at[slot, place], self._value[slot, place] = (NONE, 0.0) if last is None else last
        return self._ranges.hold(slot, self._conditions[slot], state.span)

    def restore(self, slot: int, state: DerivedState, position: Instant) -> DerivedState:  # noqa: ARG002  # all is here
        """Put the memory together again."""
        width = self._width[slot]
        columns = self._at[slot, :width].tolist(), self._value[slot, :width].tolist()
        memory = tuple(None if at == NONE else Reading(at, value) for at, value in zip(*columns, strict=True))
        return state._replace(memory=memory)

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # as all
        """Compare numbers with ranges; where there is none, that is quiet."""
        times, values = self._kept(slots, at, seen)
        wanted: Mask = places(times.shape[1]) < self._width[slots][:, None]
        fresh = (times != NONE) & (at[:, None] - times <= self._within[slots][:, None])
        quiet: Mask = ~(fresh | ~wanted).all(axis=1)
        rows = np.flatnonzero(~quiet)
        formulas: list[int] = np.unique(self._formula[slots[rows]]).tolist()
        for formula in formulas:
            own = rows[self._formula[slots[rows]] == formula]
            expression, names = self._expressions[formula]
            found = evaluate(expression, {name: values[own, place] for name, place in names}, len(own))
            same = self._ranges.hold_within(slots[own], found.value, found.value)
            quiet[own] = found.is_sure & (same | ~found.exists)
        return quiet

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Keep the last values."""
        self._at[slots], self._value[slots] = self._kept(slots, at, seen)

    def _kept(self, slots: Slots, at: Instants, seen: Floats) -> tuple[Instants, Floats]:
        own = seen[:, : self._at.shape[1]]
        told = ~np.isnan(own)
        return np.where(told, at[:, None], self._at[slots]), np.where(told, own, self._value[slots])
