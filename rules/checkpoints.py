"""Which earlier states of a fold are kept: densely for the recent past, ever more thinly further back.

Two neighbours' ages differ by a factor of at most two (above a grain), so that going back by d means folding again at
most about 2 d of history, and a history of n grains keeps about 2 log2(n) states. Ages only grow, which brings
neighbours' ages closer together: what holds once holds for ever.
"""

from collections.abc import Sequence

from rules.conditions.span import Instant

GRAIN = 60_000_000
"""A minute: the shortest distance between two states that are kept."""


def superfluous(positions: Sequence[Instant], head: Instant) -> list[Instant]:
    """Name the states that are not needed.

    Args:
        positions: of the states that are kept, oldest first. The oldest is never superfluous.
        head: the fold's own position, not before the last of them.
    """
    doomed: list[Instant] = []
    older = positions[0] if positions else head
    for index in range(1, len(positions)):
        newer = positions[index + 1] if index + 1 < len(positions) else head
        if head - older <= 2 * (head - newer) + GRAIN:
            doomed.append(positions[index])
        else:
            older = positions[index]
    return doomed
