"""Which devices of a bank report at which step: each in its turn, with a phase of its own that spreads the load."""

from dataclasses import dataclass

import numpy as np

from simulators.chance import key_of
from simulators.systems.system import Bank, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Rows that report every `every` steps, grouped by phase."""

    every: int
    by_phase: tuple[Rows, ...]


class Reporting:
    """The turns of one bank on one grid.

    Args:
        step: of the grid, in milliseconds.
        shortest: at least so far apart are two reports of a device, in milliseconds.
    """

    def __init__(self, bank: Bank, step: int, shortest: int = 0) -> None:
        groups: dict[int, list[list[int]]] = {}
        for row, plan in enumerate(bank.devices):
            every = max(1, round(max(plan.interval.total_seconds() * 1000, shortest) / step))
            phases = groups.setdefault(every, [[] for _ in range(every)])
            phases[key_of(plan.organisation, plan.id, "phase") % every].append(row)
        self._turns = tuple(
            _Turn(every=every, by_phase=tuple(np.array(rows, dtype=np.intp) for rows in phases))
            for every, phases in groups.items()
        )

    def due(self, number: int) -> Rows:
        """Return the rows that report at a step, ascending."""
        found = [turn.by_phase[number % turn.every] for turn in self._turns]
        if len(found) == 1:
            return found[0]
        return np.sort(np.concatenate(found)) if found else np.array([], dtype=np.intp)
