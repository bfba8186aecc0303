"""Two versions of a rule side by side: which alerts both raise, which only one, and which at other times.

Alerts of one device (or site) belong together when they share time: an alert of the one version is compared with that
of the other that shares most with it. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.backtest import Finding


class Difference(StrEnum):
    """How an alert of the one version stands to the other version."""

    SAME = "same"
    """Opened, fired, risen and resolved at the same times."""
    CHANGED = "changed"
    """At other times or severities, but they share time; one of several that share time with it is compared."""
    NEW = "new"
    """The present version raises nothing while it lasts."""
    GONE = "gone"
    """The draft raises nothing while it lasts."""


class Pair(NamedTuple):
    """An alert of the draft and one of the present version; None: there is no such."""

    difference: Difference
    draft: Finding | None
    present: Finding | None

    @property
    def finding(self) -> Finding:
        """Give the draft's, or the present one's where that is all there is."""
        found = self.draft or self.present
        assert found is not None  # noqa: S101  # one of them is there
        return found


def compare(draft: Sequence[Finding], present: Sequence[Finding], until: datetime) -> list[Pair]:
    """Pair the alerts of two versions, in the order in which they fired.

    Args:
        until: what is not over is taken to last till then.
    """
    theirs: dict[tuple[str, str], list[Finding]] = {}
    for finding in present:
        theirs.setdefault(finding.place, []).append(finding)
    pairs: list[Pair] = []
    for place, found in _by_place(draft).items():
        pairs += _paired(found, theirs.pop(place, []), until)
    for rest in theirs.values():
        pairs += [Pair(Difference.GONE, None, finding) for finding in rest]
    return sorted(pairs, key=lambda pair: pair.finding.order)


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        places.setdefault(finding.place, []).append(finding)
    return places


def _paired(ours: Sequence[Finding], theirs: Sequence[Finding], until: datetime) -> list[Pair]:
    ours, theirs = (sorted(found, key=lambda finding: finding.alert.opened_at) for found in (ours, theirs))
    of_ours: dict[int, list[tuple[timedelta, int]]] = {}
    of_theirs: dict[int, list[tuple[timedelta, int]]] = {}
    for one, other, time in _shared(ours, theirs, until):
        of_ours.setdefault(one, []).append((time, other))
        of_theirs.setdefault(other, []).append((time, one))
    pairs: list[Pair] = []
    compared: set[int] = set()
    for number, finding in enumerate(ours):
        if number not in of_ours:
            pairs.append(Pair(Difference.NEW, finding, None))
            continue
        _, best = max(of_ours[number], key=lambda shared: (_times(theirs[shared[1]]) == _times(finding), shared[0]))
        compared.add(best)
        pairs.append(Pair(_difference(finding, theirs[best]), finding, theirs[best]))
    for number, finding in enumerate(theirs):
        if number not in compared and number in of_theirs:
            pairs.append(Pair(Difference.CHANGED, ours[max(of_theirs[number])[1]], finding))
        elif number not in compared:
            pairs.append(Pair(Difference.GONE, None, finding))
    return pairs


def _shared(
    ours: Sequence[Finding], theirs: Sequence[Finding], until: datetime
) -> Iterator[tuple[int, int, timedelta]]:
    """Tell which have time in common, and how much; both are in the order in which they opened."""
    begin = 0
    for number, finding in enumerate(ours):
        opened, ended = _stretch(finding, until)
        while begin < len(theirs) and _stretch(theirs[begin], until)[1] < opened:
            begin += 1
        for other in range(begin, len(theirs)):
            its_opened, its_ended = _stretch(theirs[other], until)
            if its_opened > ended:
                break
            if its_ended >= opened:
                yield number, other, min(ended, its_ended) - max(opened, its_opened)


def _stretch(finding: Finding, until: datetime) -> tuple[datetime, datetime]:
    return finding.alert.opened_at, finding.alert.resolved_at or until


def _difference(ours: Finding, theirs: Finding) -> Difference:
    return Difference.SAME if _times(ours) == _times(theirs) else Difference.CHANGED


def _times(finding: Finding) -> tuple[object, ...]:
    alert = finding.alert
    return alert.opened_at, alert.fired_at, alert.resolved_at, alert.raises
