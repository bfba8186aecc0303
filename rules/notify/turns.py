"""Who is served next: slots are few, and neither the dead nor the many may keep others from theirs.

Contract: pure; the times are given. Who was reached last time, or never tried, goes before those whose last attempt
failed, and these fill a part of the slots at most: the rest is always free of receivers that are known to be dead. Nor
does one channel (all mail goes through one relay) or one organisation fill them all. Among equals the organisation that
is served least goes first, then who has waited longest since its last turn.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from veldwatch.storage.receivers import ReceiverSort

_KNOWN_DEAD = 3
"""After so many failures in a row it does not matter how many more there were: such receivers go round in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A receiver that something is due for, or that is being served.

    Attributes:
        failures: turns in a row that ended with a failed attempt.
        last_turn_ended: in seconds of any clock that only goes forward; 0: it had none yet.
    """

    receiver_id: int
    sort: ReceiverSort
    failures: int = 0
    last_turn_ended: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many receivers are served at once, and at most how many of one sort.

    Each takes a thread and a connection to the database, of which a server has a hundred unless told otherwise.
    """

    in_all: int = 24
    failing: int = 8
    of_a_channel: int = 18
    of_an_organisation: int = 12


SLOTS = Slots()


def choose(waiting: Sequence[Candidate], active: Sequence[Candidate], slots: Slots) -> list[Candidate]:
    """Give those that get a slot now.

    Args:
        waiting: none of them is active; of equals the earlier goes first.
    """
    taken, left, chosen = _Taken(active), list(waiting), list[Candidate]()
    while fitting := [candidate for candidate in left if taken.has_room_for(candidate, slots)]:
        following = min(fitting, key=taken.rank)
        left.remove(following)
        chosen.append(following)
        taken.take(following)
    return chosen


class _Taken:
    """Slots that are taken, by sort."""

    def __init__(self, active: Sequence[Candidate]) -> None:
        self._in_all = self._failing = 0
        self._by_channel = Counter[object]()
        self._by_organisation = Counter[int | None]()
        for candidate in active:
            self.take(candidate)

    def take(self, candidate: Candidate) -> None:
        self._in_all += 1
        self._failing += candidate.failures > 0
        self._by_channel[candidate.sort.channel] += 1
        self._by_organisation[candidate.sort.organisation_id] += 1

    def has_room_for(self, candidate: Candidate, slots: Slots) -> bool:
        return (
            self._in_all < slots.in_all
            and (candidate.failures == 0 or self._failing < slots.failing)
            and self._by_channel[candidate.sort.channel] < slots.of_a_channel
            and self._by_organisation[candidate.sort.organisation_id] < slots.of_an_organisation
        )

    def rank(self, candidate: Candidate) -> tuple[float, ...]:
        served = self._by_organisation[candidate.sort.organisation_id]
        return min(candidate.failures, _KNOWN_DEAD), served, candidate.last_turn_ended
