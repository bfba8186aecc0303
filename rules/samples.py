"""Samples: what is observed of one device, brought together by the instant that it is of.

That is the readings of several series, and for conditions that combine more: contacts, fixes and events, each in a slot
of its own after those of the series.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rules.conditions.span import Contact, Fix, Happening, Instant, Observation, Sample
from rules.reader_index import Numbers, ReaderIndex
from rules.sources import Source

Values = npt.NDArray[np.float64]


class SampleIndex:
    """Who reads samples, by the series that make them up; who it is, is told by place in a list."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._widths = [source.width for source in sources]
        self._width = max(self._widths, default=0)
        # Who reads, and as which of its slots, in one number.
        self._index = ReaderIndex(
            (series, number * self._width + slot)
            for number, source in enumerate(sources)
            for slot, series in enumerate(source.slots)
            if series
        )

    def together(self, sources: Numbers, at: Numbers, value: Values) -> tuple[Numbers, Numbers, Values]:
        """Make samples of readings: whose, when, and n x k values, NaN where a series says nothing."""
        rows, readers = self._index.pairs(sources)
        numbers, slots = np.divmod(readers, self._width)
        order = np.lexsort((at[rows], numbers))
        rows, numbers, slots = rows[order], numbers[order], slots[order]
        moments = at[rows]
        begins = np.ones(len(rows), bool)
        begins[1:] = (numbers[1:] != numbers[:-1]) | (moments[1:] != moments[:-1])
        seen = np.full((int(begins.sum()), self._width), np.nan)
        seen[np.cumsum(begins) - 1, slots] = value[rows]
        return numbers[begins], moments[begins], seen

    def sample(self, number: int, at: Instant, seen: Sequence[float]) -> Sample:
        """Make the sample of one reader of a row of values."""
        own = seen[: self._widths[number]]
        return Sample(at, tuple(None if value != value else value for value in own))  # noqa: PLR0124  # NaN


class Rows(NamedTuple):
    """A page of what fills some slots of samples.

    Attributes:
        samples: oldest first, each with the slots of this page filled.
        is_full: there may be more of it; the last instant may lack some.
    """

    samples: Sequence[Sample]
    is_full: bool


def samples_of(rows: Iterable[tuple[int, Instant, float]], source: Source) -> list[Sample]:
    """Bring rows (series, instant, value) together, oldest first."""
    places = {series: slot for slot, series in enumerate(source.slots) if series}
    found: dict[Instant, list[Any]] = {}
    for series, at, value in rows:
        if series in places:
            found.setdefault(at, [None] * source.width)[places[series]] = value
    return [Sample(at, tuple(found[at])) for at in sorted(found)]


def others_of(observations: Iterable[Observation], slot: int, source: Source) -> list[Sample]:
    """Make samples of contacts, fixes or happenings, which fill one slot."""
    before, after = (None,) * slot, (None,) * (source.width - slot - 1)
    return [Sample(seen.at, (*before, _value(seen), *after)) for seen in observations]


def joined(samples: Iterable[Sample]) -> list[Sample]:
    """Bring samples of the same instant together, oldest first."""
    found: dict[Instant, Sample] = {}
    for sample in samples:
        known = found.get(sample.at)
        found[sample.at] = sample if known is None else _both(known, sample)
    return [found[at] for at in sorted(found)]


def page_of_samples(pages: Sequence[Rows]) -> tuple[list[Sample], bool]:
    """Make samples of what was read, oldest first; tell whether there are more.

    A full page may have cut its last instant, and knows of none after it: that is left to the next time.
    """
    cuts = [page.samples[-1].at for page in pages if page.is_full]
    cut = min(cuts, default=None)
    kept = (sample for page in pages for sample in page.samples if cut is None or sample.at < cut)
    return joined(kept), bool(cuts)


def _value(seen: Observation) -> Any:  # noqa: ANN401  # what a slot holds
    match seen:
        case Fix():
            return (seen.longitude, seen.latitude, seen.accuracy)
        case Contact():
            return True
        case Happening():
            return seen.events
        case _:
            raise AssertionError(f"{seen!r} fills no slot of a sample")


def _both(one: Sample, other: Sample) -> Sample:
    return Sample(one.at, tuple(_either(*pair) for pair in zip(one.values, other.values, strict=True)))


def _either(one: Any, other: Any) -> Any:  # noqa: ANN401  # of a slot
    return other if one is None else one
