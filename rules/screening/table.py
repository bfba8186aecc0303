"""What a table is: the states of many folds of one kind of condition, as far as an uneventful observation touches them.

Such observations are taken up there; the others, and with them everything later of the same fold in that batch, go to
the fold itself. The outcome is that of folding each of them, which tests compare. So a table may always say that an
observation is not quiet, and says so wherever rounding could matter: never that one is quiet which is not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rules.conditions.compile import AnyCondition
from rules.conditions.derived import DerivedCondition
from rules.conditions.span import Instant, Reading

Floats = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
NONE = -1
"""No time that is observed lies before 1980."""
FAR = NEVER // 4
"""Later than anything, and still to be subtracted from."""


class Table(Protocol):
    """The states of one kind of condition, by slot.

    What is observed is an array: of readings n values (of contacts: zeros), of fixes n x 3 (degrees of longitude and
    latitude, metres of accuracy or NaN), of samples n x k (a value of each series, or NaN).
    """

    def hold(self, slot: int, state: Any) -> bool:  # noqa: ANN401  # the condition's own
        """Take a state up; False: in this state every observation counts."""
        ...

    def restore(self, slot: int, state: Any, position: Instant) -> Any:  # noqa: ANN401
        """Give the state that was held, as uneventful observations up to a position left it."""
        ...

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:
        """Tell which observations, each later than its fold's position `after`, change nothing that is said.

        Args:
            slots: each at most once.
        """
        ...

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Take uneventful observations up, one of each slot, just as they were given to `quiet`."""
        ...


TableOf = Callable[[Sequence[Any]], Table]
Tables = Mapping[type, TableOf]


class LoudTable:
    """Conditions of which every observation counts: nothing is taken up."""

    def __init__(self, conditions: Sequence[Any]) -> None:
        """Need nothing of them."""

    def hold(self, slot: int, state: object) -> bool:  # noqa: ARG002  # any
        """Take no state up."""
        return False

    def restore(self, slot: int, state: object, position: Instant) -> object:  # noqa: ARG002
        """Give the state as it was."""
        return state

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002
        """Let all be looked at."""
        return np.zeros(len(slots), bool)

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Take nothing."""


def places(count: int) -> Slots:
    """Number the places of a row."""
    return np.arange(count, dtype=np.int64)


def reading(at: Any, value: Any) -> Reading | None:  # noqa: ANN401  # NumPy's numbers
    """Put a reading together again that is kept in two columns."""
    return None if at == NONE else Reading(int(at), float(value))


def kind_of(condition: AnyCondition) -> type:
    """Tell which table a condition belongs to; those of one kind share one."""
    return type(condition.derivation) if isinstance(condition, DerivedCondition) else type(condition)
