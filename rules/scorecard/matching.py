"""Which alert found which fault.

Alerts are taken in the order in which they fired. An alert can be for a fault when its rule is there to find the
fault's kind, it is at the fault's place, and it fired from the fault's begin to its end plus the grace. Of the faults
that it can be for and that nobody has found yet it finds the one whose time runs out first (earliest deadline first
finds as many as can be found); if all of them are found already, it repeats; if there are none, it is false, and
whatever other fault there was at that place and time is said to have provoked it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from rules.scorecard.occurrences import Detector, Firing, Occurrence, Place, Spot, Stretch

_NEVER = datetime.max.replace(tzinfo=UTC)


class Verdict(StrEnum):
    """What became of an alert."""

    TRUE = "true"
    """The first to find a fault."""
    REPEATED = "repeated"
    """For a fault that was found already, or that began before the stretch."""
    EXPLAINED = "explained"
    """Of silence that another alert or a planned interruption explains: recorded, and told to nobody."""
    FALSE = "false"
    UNSCORED = "unscored"
    """Its rule is there to find no fault."""


class Judged(NamedTuple):
    """An alert with its verdict.

    Attributes:
        occurrence: what it found or repeats; of a false or explained one, what provoked it; None: nothing.
    """

    firing: Firing
    verdict: Verdict
    occurrence: Occurrence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What came of the comparison.

    Attributes:
        judged: every alert of the stretch, in the order in which they fired.
        injected: the faults that began in the stretch, by their begin.
        found: of them, by position, the alert that found each.
    """

    judged: Sequence[Judged]
    injected: Sequence[Occurrence]
    found: dict[int, Firing]


def match(
    occurrences: Iterable[Occurrence], firings: Iterable[Firing], detectors: Iterable[Detector], stretch: Stretch
) -> Matching:
    """Compare alerts with the truth.

    Args:
        occurrences: any that were on in the stretch; one that is told twice counts once, to its later end.
        firings: of the detectors; those outside the stretch are left out.
    """
    truth = _Truth(occurrences, stretch)
    by_name = {detector.name: detector for detector in detectors}
    fired = (firing for firing in firings if stretch.since <= firing.fired_at < stretch.until)
    judged = [truth.judge(firing, by_name[firing.rule]) for firing in sorted(fired, key=_order)]
    return Matching(judged=judged, injected=truth.injected, found=truth.found)


def _order(firing: Firing) -> tuple[object, ...]:
    return (firing.fired_at, firing.rule, firing.spot.organisation, firing.spot.device or "", firing.spot.sites)


class _Truth:
    """The faults, found by place, and which of them were found."""

    def __init__(self, occurrences: Iterable[Occurrence], stretch: Stretch) -> None:
        self._stretch = stretch
        within = sorted((one for one in occurrences if one.begins_at < stretch.until), key=_end)
        told = {(one.kind, one.place, one.begins_at): one for one in within}
        ordered = sorted(told.values(), key=lambda one: (one.begins_at, one.kind, str(one.place)))
        self.injected = [one for one in ordered if one.begins_at >= stretch.since]
        self.found: dict[int, Firing] = {}
        before = [one for one in ordered if one.begins_at < stretch.since]
        # Those of before have no position: they can be repeated, and never be found.
        self._at: dict[Place, list[tuple[int | None, Occurrence]]] = {}
        for position, one in [*((None, one) for one in before), *enumerate(self.injected)]:
            for place in (one.place,) if one.felt_at is None else (one.place, one.felt_at):
                self._at.setdefault(place, []).append((position, one))

    def judge(self, firing: Firing, detector: Detector) -> Judged:
        """Say what an alert is, and note what it found."""
        if not detector.is_scored:
            return Judged(firing, Verdict.UNSCORED, None)
        if firing.explained:
            around = (one for _, one in self._around(firing.spot) if self._is_on(one, firing.fired_at))
            return Judged(firing, Verdict.EXPLAINED, _latest(around))
        on = [(position, one) for position, one in self._around(firing.spot) if self._is_on(one, firing.fired_at)]
        own = [(position, one) for position, one in on if detector.finds(one.kind)]
        if not own:
            return Judged(firing, Verdict.FALSE, _latest(one for _, one in on))
        left = [(p, one) for p, one in own if p is not None and p not in self.found]
        if not left:
            return Judged(firing, Verdict.REPEATED, _latest(one for _, one in own))
        position, one = min(left, key=lambda pair: (pair[1].ends_at or _NEVER, pair[0]))
        self.found[position] = firing
        return Judged(firing, Verdict.TRUE, one)

    def _around(self, spot: Spot) -> Iterable[tuple[int | None, Occurrence]]:
        for organisation in (spot.organisation, None):
            yield from self._at.get(Place(organisation=organisation), ())
            if spot.device is not None:
                yield from self._at.get(Place(organisation=organisation, device=spot.device), ())
            for site in spot.sites:
                yield from self._at.get(Place(organisation=organisation, site=site), ())

    def _is_on(self, one: Occurrence, at: datetime) -> bool:
        return one.begins_at <= at and (one.ends_at is None or at <= one.ends_at + self._stretch.grace)


def _end(one: Occurrence) -> tuple[datetime, float]:
    return one.ends_at or _NEVER, one.size or 0.0


def _latest(occurrences: Iterable[Occurrence]) -> Occurrence | None:
    return max(occurrences, key=lambda one: (one.begins_at, one.kind), default=None)
