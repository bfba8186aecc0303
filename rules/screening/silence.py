"""The table of absence."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.absence import AbsenceCondition, AbsenceState
from rules.conditions.span import Instant
from rules.screening.table import Floats, Instants, Mask, Slots


class AbsenceTable:
    """Absence: a contact that comes in time moves the last contact on."""

    def __init__(self, conditions: Sequence[AbsenceCondition]) -> None:
        self._silent_for = np.array([condition.silent_for for condition in conditions], np.int64)

    def hold(self, slot: int, state: AbsenceState) -> bool:  # noqa: ARG002  # any slot
        """Take a state up, once there was a contact."""
        return state.last is not None

    def restore(self, slot: int, state: AbsenceState, position: Instant) -> AbsenceState:  # noqa: ARG002
        """Move the last contact on."""
        return AbsenceState(position)

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # times alone
        """Tell which contacts came in time."""
        return at - after < self._silent_for[slots]

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Keep nothing: the position is the last contact."""
