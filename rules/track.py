"""The end of a track whose fixes are judged by speed: what is not decided yet, because the fixes to come may matter.

A fix is decided when the two after it are known; until then it counts as the fixes before say. So the state of a fold
holds what is decided, and the last fixes as they came: at most two that are not decided, after at most two that are.

The last fix of all is not believed yet where it was reached faster than the species travels: the next one shows whether
it lies out and back. That costs one fix at most: when twice the time since the fix before has passed without another,
it is believed, for who carries a collar off may silence it.
"""

from rules.conditions.span import Fix, Instant
from veldwatch.model.track import NEIGHBOURS, Place, SpeedLimits, is_hasty, is_implausible

Tail = tuple[Fix, ...]
"""The last fixes, oldest first; the last `NEIGHBOURS` of them are not decided."""

_OVERDUE = 2
"""Times between the last two fixes after which the next is missed. Assumed, as one that fails is common."""


def extend(tail: Tail, seen: Fix, limits: SpeedLimits) -> tuple[Tail, Fix | None]:
    """Add a fix; give the one that it decided, if that is plausible."""
    longer = (*tail, seen)
    place = len(longer) - NEIGHBOURS - 1
    decided = longer[place] if place >= 0 and not _is_wild(longer, place, limits) else None
    return longer[-2 * NEIGHBOURS :], decided


def undecided(tail: Tail, limits: SpeedLimits, now: Instant) -> list[Fix]:
    """Give the fixes that are not decided and plausible as far as is known."""
    first = max(len(tail) - NEIGHBOURS, 0)
    held_until = believed_at(tail, limits)
    end = len(tail) if held_until is None or held_until <= now else len(tail) - 1
    return [tail[place] for place in range(first, end) if not _is_wild(tail, place, limits)]


def believed_at(tail: Tail, limits: SpeedLimits) -> Instant | None:
    """Tell until when the last fix is held back if no other comes; None: it is not."""
    known = [place for place in range(len(tail) - 1) if not _is_wild(tail, place, limits)]
    if not known or not is_hasty(Place(*tail[-1]), Place(*tail[known[-1]]), limits):
        return None
    return tail[-1].at + _OVERDUE * (tail[-1].at - tail[-2].at)


def _is_wild(fixes: Tail, place: int, limits: SpeedLimits) -> bool:
    places = [Place(*fix) for fix in fixes]
    return is_implausible(places[place], places[:place], places[place + 1 :], limits)
