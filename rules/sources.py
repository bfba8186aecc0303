"""Sources: what a fold reads, and in which form.

Most folds read the observations of one series or device as they are stored. Two kinds read what is put together from
several: samples (the readings of several series of one device at one instant), and buckets (what many devices did
in one stretch of a grid of time, see `rules.grids`). Whatever it is, its `at` only grows, and it follows from what is
stored alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rules.grids.grid import Grid
from veldwatch.model.conditions.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one fold reads.

    Attributes:
        id: the series (readings) or device (positions, contacts, samples); of buckets: the site, series or device that
            they are about, as `grid` numbers its subjects.
        slots: of samples: series by slot, 0 where the device has none such.
        others: of samples: what else of the device is in them, in the slots after those.
        kinds: of events: those that matter.
        grid: of buckets.
    """

    input: Input
    id: int
    slots: tuple[int, ...] = ()
    others: tuple[Input, ...] = ()
    kinds: tuple[str, ...] = ()
    grid: Grid | None = None

    @property
    def width(self) -> int:
        """Tell how many values a sample has."""
        return len(self.slots) + len(self.others)

    def members(self) -> Iterator[tuple[Input, int]]:
        """List the series and devices whose observations make up what is read."""
        if self.grid is not None:
            yield from ((kind, member) for kind, members in self.grid.members.items() for member in members)
        elif self.input is Input.SAMPLES:
            yield from ((Input.READINGS, series) for series in self.slots if series)
            yield from ((other, self.id) for other in self.others)
        else:
            yield self.input, self.id

    def needs_watch(self) -> bool:
        """Tell whether it matters who listened when."""
        read = self.grid.members if self.grid else (self.input, *self.others)
        return Input.CONTACTS in read
