"""Tables of baselines: what is as usual is learnt, as long as nothing holds."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.baseline import BaselineCondition, BaselineState
from rules.conditions.joint_baseline import MOST, JointCondition, JointState, Part
from rules.conditions.span import Instant
from rules.screening.learning import Bins, Learners, Looked
from rules.screening.table import NONE, Floats, Instants, Mask, Slots
from veldwatch.model.conditions.usual import Side

_SLACK = 1e-9
"""Of a score, which sums may round."""


class BaselineTable:
    """Own baselines."""

    def __init__(self, conditions: Sequence[BaselineCondition]) -> None:
        self._learners = Learners([condition.learner for condition in conditions])
        self._limit = np.array([condition.limit for condition in conditions])
        self._least = np.array([condition.min_deviation for condition in conditions])
        self._up = np.array([condition.side is not Side.BELOW for condition in conditions], bool)
        self._down = np.array([condition.side is not Side.ABOVE for condition in conditions], bool)
        self._last_at = np.zeros(len(conditions), np.int64)
        self._looked: tuple[Slots, Looked] | None = None

    def hold(self, slot: int, state: BaselineState) -> bool:
        """Take a state up while nothing holds."""
        if state.span is not None or state.last_at is None:
            return False
        self._last_at[slot] = state.last_at
        return self._learners.hold(slot, state.usual)

    def restore(self, slot: int, state: BaselineState, position: Instant) -> BaselineState:  # noqa: ARG002  # all is here
        """Put together again what is usual."""
        return BaselineState(self._learners.usual(slot, state.usual), None, int(self._last_at[slot]))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # as all
        """Tell which readings are as usual."""
        looked = self._learners.look(slots, at, seen)
        self._looked = slots, looked
        side = np.where(looked.deviation < 0, self._down[slots], self._up[slots] | (looked.deviation == 0))
        far = (np.abs(looked.times) >= self._limit[slots]) & (np.abs(looked.deviation) >= self._least[slots])
        return looked.known & ~(side & far)

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Learn."""
        assert self._looked is not None  # noqa: S101  # `quiet` was asked
        asked, looked = self._looked
        self._learners.learn(slots, at, seen, picked(looked, np.isin(asked, slots)))
        self._last_at[slots] = at


class JointTable:
    """Joint baselines: the parts of all folds side by side."""

    def __init__(self, conditions: Sequence[JointCondition]) -> None:
        self._width = max((condition.slots for condition in conditions), default=0)
        self._slots = np.array([condition.slots for condition in conditions], np.int64)
        self._strongest = np.array([condition.strongest for condition in conditions], np.int64)
        self._limit = np.array([condition.limit for condition in conditions])
        self._over = np.array([condition.learner.over for condition in conditions], np.int64)
        learners = [condition.learner for condition in conditions for _ in range(self._width)]
        self._learners = Learners(learners)
        self._score = np.zeros((len(conditions), self._width))
        self._at = np.full((len(conditions), self._width), NONE)
        self._looked: tuple[Slots, Looked] | None = None

    def hold(self, slot: int, state: JointState) -> bool:
        """Take a state up while nothing holds, and no series is beyond the limit by itself."""
        if state.span is not None or any(part.beyond_since is not None for part in state.parts):
            return False
        for number, part in enumerate(state.parts):
            self._score[slot, number] = part.score
            self._at[slot, number] = NONE if part.at is None else part.at
            if part.at is not None and not self._learners.hold(slot * self._width + number, part.usual):
                return False
        return True

    def restore(self, slot: int, state: JointState, position: Instant) -> JointState:
        """Put the parts together again."""
        parts = tuple(
            part
            if part.at is None
            else Part(
                self._learners.usual(slot * self._width + number, part.usual),
                float(self._score[slot, number]),
                int(self._at[slot, number]),
            )
            for number, part in enumerate(state.parts)
        )
        return JointState(parts, None, position)

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # as all
        """Tell which samples are as usual, series by series and together."""
        rows, parts, own = self._parts(slots, seen)
        looked = self._learners.look(own, at[rows], seen[rows, parts])
        self._looked = own, looked
        score = np.abs(looked.times)
        fine = looked.known & (score < self._limit[slots[rows]]) & (self._at[slots[rows], parts] != NONE)
        quiet = np.ones(len(slots), bool)
        quiet[rows[~fine]] = False
        scores, times = self._score[slots].copy(), self._at[slots].copy()
        scores[rows, parts], times[rows, parts] = score, at[rows]
        fresh = (times != NONE) & (at[:, None] - times <= self._over[slots][:, None])
        strongest = -np.sort(-np.where(fresh, np.minimum(scores, MOST), 0.0), axis=1)
        counted = np.where(np.arange(self._width) < self._strongest[slots][:, None], strongest, 0.0)
        together = counted.sum(axis=1) / self._strongest[slots]
        return quiet & (together < self._limit[slots] * (1.0 - _SLACK))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Learn, series by series."""
        assert self._looked is not None  # noqa: S101  # `quiet` was asked
        rows, parts, own = self._parts(slots, seen)
        asked, looked = self._looked
        looked = picked(looked, np.isin(asked, own))
        self._score[slots[rows], parts], self._at[slots[rows], parts] = np.abs(looked.times), at[rows]
        self._learners.learn(own, at[rows], seen[rows, parts], looked)

    def _parts(self, slots: Slots, seen: Floats) -> tuple[Slots, Slots, Slots]:
        """List what the samples say: row, part, and the part's number among all."""
        rows, parts = np.nonzero(~np.isnan(seen[:, : self._width]))
        return rows, parts, slots[rows] * self._width + parts


def picked(looked: Looked, rows: Mask) -> Looked:
    """Give what some readings were judged to be."""
    number, total, readings, length = looked.recent
    return Looked(
        Bins(number[rows], total[rows], readings[rows], length[rows]),
        looked.deviation[rows],
        looked.times[rows],
        looked.number[rows],
        looked.known[rows],
    )
