"""The end of a track whose fixes are judged by speed: what is not decided yet, because the fixes to come may matter.

A fix is decided when the two after it are known; until then it counts as the fixes before say. So the state of a fold
holds what is decided, and the last fixes as they came: at most two that are not decided, after at most two that are.
"""

from rules.conditions.span import Fix
from veldwatch.model.track import NEIGHBOURS, Place, SpeedLimits, is_implausible

Tail = tuple[Fix, ...]
"""The last fixes, oldest first; the last `NEIGHBOURS` of them are not decided."""


def extend(tail: Tail, seen: Fix, limits: SpeedLimits) -> tuple[Tail, Fix | None]:
    """Add a fix; give the one that it decided, if that is plausible."""
    longer = (*tail, seen)
    place = len(longer) - NEIGHBOURS - 1
    decided = longer[place] if place >= 0 and not _is_wild(longer, place, limits) else None
    return longer[-2 * NEIGHBOURS :], decided


def undecided(tail: Tail, limits: SpeedLimits) -> list[Fix]:
    """Give the fixes that are not decided and plausible as far as is known."""
    first = max(len(tail) - NEIGHBOURS, 0)
    return [tail[place] for place in range(first, len(tail)) if not _is_wild(tail, place, limits)]


def _is_wild(fixes: Tail, place: int, limits: SpeedLimits) -> bool:
    places = [Place(*fix) for fix in fixes]
    return is_implausible(places[place], places[:place], places[place + 1 :], limits)
