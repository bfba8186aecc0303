"""Tracks for tests of conditions on places: metres made into fixes, folded into spans."""

import random
from collections.abc import Iterable, Sequence

from rules.conditions.compile import AnyCondition
from rules.conditions.places import METRES_PER_DEGREE
from rules.conditions.span import Fix, Span
from tests.unit.rules.worlds import minute


def fix(at: float, east: float, north: float = 0.0, accuracy: float | None = 5.0) -> Fix:
    """Make a fix so many minutes after the start, so many metres from 30 degrees east on the equator."""
    return Fix(minute(at), 30.0 + east / METRES_PER_DEGREE, north / METRES_PER_DEGREE, accuracy)


def times(
    condition: AnyCondition, fixes: Iterable[Fix], until: float = 1e6
) -> list[tuple[float, float | None, float | None]]:
    """Fold fixes; give when each span opened, was reached and ended, in minutes, as it looks at last."""
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for seen in fixes:
        state, ended = condition.step(state, seen)
        spans += [ended] if ended else []
    held = condition.open_span(state, minute(until))
    return [
        (after(span.opened_at) or 0.0, after(span.reached_at), after(span.ended_at))
        for span in [*spans, *([held] if held else [])]
    ]


def after(at: int | None) -> float | None:
    """Count minutes since the start."""
    return None if at is None else (at - minute(0)) / 60_000_000


def wavering(places: Sequence[tuple[float, float]], deviation: float, accuracy: float | None, seed: int) -> list[Fix]:
    """Give fixes ten minutes apart of a device at these places in turn, each axis normally wrong."""
    errs = random.Random(seed)  # noqa: S311  # no secret
    return [
        fix(10.0 * number, east + errs.gauss(0, deviation), north + errs.gauss(0, deviation), accuracy)
        for number, (east, north) in enumerate(places)
    ]
