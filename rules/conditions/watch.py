"""The watch: when somebody listened, so that silence is counted only while it could have been broken.

Time before the first span counts as watched: nothing is known of it (imports, histories from before there was a watch).
Time after the last one does not, yet.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from rules.conditions.span import Instant


class Gap(NamedTuple):
    """A stretch in which nobody listened."""

    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known of who listened when.

    Attributes:
        gaps: between watched spans, oldest first.
        until: nobody is known to have listened after this; None: nothing is known, all time counts as watched.
        count: how many spans were stored when this was read.
    """

    gaps: tuple[Gap, ...] = ()
    until: Instant | None = None
    count: int = 0

    def after(self, start: Instant, duration: Instant) -> Instant:
        """Tell when so much watched time will have passed since a moment, if somebody listens from `until` on."""
        reached = start + duration
        first = bisect_right(self.gaps, start, key=_until)
        for gap in self.gaps[first:]:
            if gap.since >= reached:
                break
            reached += gap.until - max(gap.since, start)
        return reached

    def covers(self, moment: Instant) -> bool:
        """Tell whether all that happened until a moment is known."""
        return self.until is None or moment <= self.until


ALWAYS = Watch()
"""Somebody listened at all times."""


def watch_of(spans: Sequence[tuple[Instant, Instant]], count: int) -> Watch:
    """Make the watch of spans (began, seen) that do not touch, oldest first."""
    if not spans:
        return ALWAYS
    gaps = tuple(Gap(before[1], after[0]) for before, after in pairwise(spans))
    return Watch(gaps=gaps, until=spans[-1][1], count=count)


def _until(gap: Gap) -> Instant:
    return gap.until
