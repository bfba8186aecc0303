"""Incidents that prove to be one, as a function of what was gathered and of what people said.

Pure. A head that is linked to incidents of others too (`veldwatch.model.incident`) shows that they are one; so does a
person who says so. What people said is taken first, whatever the bounds. Then the heads are taken in their order: the
incidents that each is linked to become one with its own, as long as what was founded later is within the bounds of
what was founded first, as of any head: at most `longest` after, on its branch of the tree, at most `far_metres` away,
or of the same device. So nothing that is merged reaches further than twice what any incident does, and chains end.

What becomes one keeps the id of what was founded first. Every incident is still known by itself: without the head
that showed them to be one, and without what was said, they are several again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from veldwatch.model.incident import DEFAULT_NEARNESS, Head, Nearness, may_join


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An incident as alerts join it by themselves.

    Attributes:
        began_at: of its founder, or of the planned interruption.
        founder: None: a planned interruption explains its alerts; only people merge it.
    """

    id: UUID
    began_at: datetime
    founder: Head | None = None

    @property
    def order(self) -> tuple[datetime, UUID]:
        """Give its place in the order of founding."""
        return self.began_at, self.id if self.founder is None else self.founder.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A head that is linked to several incidents, its own among them.

    Attributes:
        order: of the head.
        incidents: ids; which is its own follows from the order of their founding.
    """

    order: tuple[datetime, UUID]
    incidents: frozenset[UUID]


def merge(
    bases: Iterable[Base],
    signs: Iterable[Sign],
    said: Sequence[tuple[UUID, UUID]] = (),
    nearness: Nearness = DEFAULT_NEARNESS,
) -> dict[UUID, UUID]:
    """Say in which incident each is merged: itself, where it is in none.

    Args:
        said: pairs that people say are one. Incidents that are not among `bases` are passed over.
    """
    union = _Union({base.id: base for base in bases})
    for one, other in said:
        union.join(one, other)
    for sign in sorted(signs, key=lambda sign: sign.order):
        known = union.known(sign.incidents)
        for other in known[1:]:
            union.join(known[0], other, nearness)
    return {number: union.root(number) for number in union.bases}


class _Union:
    """Disjoint sets of incidents; the root of each is what was founded first."""

    def __init__(self, bases: dict[UUID, Base]) -> None:
        self.bases = bases
        self._above = {number: number for number in bases}

    def known(self, numbers: Iterable[UUID]) -> list[UUID]:
        """Give those that there are, first founded first."""
        found = (self.bases[number] for number in numbers if number in self.bases)
        return [base.id for base in sorted(found, key=lambda base: base.order)]

    def root(self, number: UUID) -> UUID:
        """Give the first founded of the set."""
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def join(self, one: UUID, other: UUID, nearness: Nearness | None = None) -> None:
        """Make two sets one; within bounds, where such are given."""
        if one not in self.bases or other not in self.bases:
            return
        roots = sorted((self.bases[self.root(one)], self.bases[self.root(other)]), key=lambda base: base.order)
        first, later = roots
        if first.id == later.id:
            return
        if nearness is None or _are_near(first, later, nearness):
            self._above[later.id] = first.id


def _are_near(first: Base, later: Base, nearness: Nearness) -> bool:
    if first.founder is None or later.founder is None:
        return False
    return may_join(later.founder, first.founder, nearness)
