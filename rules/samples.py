"""Samples: the readings of several series of one device, brought together by the instant that they are of."""

from collections.abc import Iterable, Sequence

from rules.conditions.span import Instant, Sample


def samples_of(rows: Iterable[tuple[int, Instant, float]], slots: Sequence[int]) -> list[Sample]:
    """Bring rows (series, instant, value) together, oldest first.

    Args:
        slots: series by slot, 0: none.
    """
    places = {series: slot for slot, series in enumerate(slots) if series}
    found: dict[Instant, list[float | None]] = {}
    for series, at, value in rows:
        if series in places:
            found.setdefault(at, [None] * len(slots))[places[series]] = value
    return [Sample(at, tuple(found[at])) for at in sorted(found)]


def page_of_samples(
    rows: Sequence[tuple[int, Instant, float]], slots: Sequence[int], limit: int
) -> tuple[list[Sample], bool]:
    """Make samples of a page of rows, oldest first; tell whether there are more.

    A full page may have cut its last instant: that is left to the next one.

    Args:
        limit: how many rows a full page has, more than there are slots.
    """
    if len(rows) < limit:
        return samples_of(rows, slots), False
    last = rows[-1][1]
    return samples_of((row for row in rows if row[1] != last), slots), True
