"""Folding years of many sources: strips of a bounded size, read for all of them at once, and leaps over what is quiet.

The outcome is that of `rules.backtests.folding`, which takes what has no strips (fixes, samples, buckets) as well. What
is read at once holds at most `_MOST` observations, however dense a history is: a stretch that holds more is halved, and
the next one is as long as is likely to hold half as many.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

from rules.backtests.folding import Folding, Step, beginnings, fold_history, nothing
from rules.backtests.leaps import LEAPS
from rules.backtests.stretch import Stretch
from rules.conditions.span import Contact, Instant, Observation, Reading
from rules.conditions.watch import ALWAYS
from rules.fold import FoldState
from rules.instants import to_instant
from rules.store import Store
from rules.targets import Target
from veldwatch.model.conditions.inputs import Input
from veldwatch.storage.strips import Strip

_SOURCES = 2000
"""Sources whose folds are under way at once."""
_MOST = 3_000_000
"""Observations that are read at once: some 100 MB with what is made of them."""
_WANTED = 1_500_000
_FIRST_SPAN = 86_400_000_000
_LONGEST_SPAN = 3650 * _FIRST_SPAN
_GROWTH = 8
_WINDOW = 4096
"""Observations that a leap looks at; twice as many after one that went over all of them."""
_PLAIN = 16
_MOST_PLAIN = 4096
"""Observations that are folded one by one where leaps are short; twice as many each time."""


class Shelf(Store, Protocol):
    """A store that also gives strips."""

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        """Tell when the first of many sources was observed first; None: none ever was."""
        ...

    def strips(
        self, kind: Input, sources: Sequence[int], after: Instant, until: Instant, most: int
    ) -> dict[int, Strip] | None:
        """Read what sources observed within (after, until]; None: that is more than `most`."""
        ...


def fold_strips(store: Shelf, targets: Sequence[Target], stretch: Stretch, step: Step = nothing) -> Iterator[Folding]:
    """Fold every target over what is stored before the end of a stretch.

    Args:
        store: shows observations before `stretch.until` only.
    """
    long = [target for target in targets if target.input in (Input.READINGS, Input.CONTACTS)]
    done = seen = 0

    def told(more_done: int, more_seen: int) -> None:
        step(done + more_done, seen + more_seen)

    for group in _groups(long):
        for folding in _fold_group(store, group, stretch, told):
            yield folding
            done += 1
            seen += folding.observations
    rest = [target for target in targets if target.input not in (Input.READINGS, Input.CONTACTS)]
    yield from fold_history(store, rest, stretch, told)


def _groups(targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Bring together targets of some sources of one kind."""
    ordered = sorted(targets, key=lambda target: (target.input.value, target.source_id))
    for _, found in groupby(ordered, key=lambda target: target.input):
        of_kind = list(found)
        for begin in range(0, len(of_kind), _SOURCES):
            yield of_kind[begin : begin + _SOURCES]


def _fold_group(store: Shelf, targets: Sequence[Target], stretch: Stretch, step: Step) -> list[Folding]:
    folding = beginnings(store, targets, store.watch(ALWAYS), stretch)
    by_source: dict[int, list[Folding]] = {}
    for each in folding:
        by_source.setdefault(each.target.source_id, []).append(each)
    seen = 0
    until = to_instant(stretch.until)
    for share, strips in _portions(store, targets[0].input, by_source, until):
        for source, strip in strips.items():
            for each in by_source[source]:
                _fold_strip(each, strip)
                seen += len(strip.at)
        step(int(share * len(folding)), seen)
    for each in folding:
        each.close(until)
    return folding


def _portions(
    store: Shelf, kind: Input, by_source: dict[int, list[Folding]], until: Instant
) -> Iterator[tuple[float, dict[int, Strip]]]:
    """Read history in portions of a bounded size, from the least position on; tell which share of it is read then."""
    sources = list(by_source)
    positions = [each.position for found in by_source.values() for each in found]
    known = [position for position in positions if position is not None]
    after = min(known) if len(known) == len(positions) else None
    if after is None:
        first = store.first(kind, sources)
        if first is None:
            return
        after = first - 1
    span, begin = _FIRST_SPAN, after
    while after < until - 1:
        end = min(after + span, until - 1)
        strips = store.strips(kind, sources, after, end, _MOST)
        if strips is None and end - after > 1:
            span = (end - after) // 2
            continue
        yield (end - begin) / (until - begin), strips or {}
        read = sum(len(strip.at) for strip in (strips or {}).values())
        after, span = end, _next_span(end - after, read)


def _next_span(span: int, read: int) -> int:
    likely = span * _GROWTH if read == 0 else span * _WANTED // read
    return max(min(likely, span * _GROWTH, _LONGEST_SPAN), 1)


def _fold_strip(folding: Folding, strip: Strip) -> None:
    """Take the observations of a strip that come after a fold's position."""
    begin = 0
    if folding.position is not None:
        begin = int(strip.at.searchsorted(folding.position, "right"))
    length = len(strip.at)
    if begin == length:
        return
    folding.observations += length - begin
    folding.position = int(strip.at[-1])
    leaper = LEAPS.get(type(folding.fold.condition))
    if leaper is None:
        folding.take(_observations(folding.target.input, strip, begin, length))
        return
    plain, window = _PLAIN, _WINDOW
    while begin < length:
        leapt = 0
        if folding.state.lingering is None:
            part = slice(begin, begin + window)
            leapt, inner = leaper(folding.fold.condition, folding.state.condition, strip.at[part], strip.value[part])
            folding.state = FoldState(inner)
            begin += leapt
            if leapt == window:
                window *= 2
                continue
        plain = _PLAIN if leapt > plain else min(plain * 2, _MOST_PLAIN)
        window = _WINDOW
        folding.take(_observations(folding.target.input, strip, begin, begin + plain))
        begin += plain


def _observations(kind: Input, strip: Strip, begin: int, end: int) -> Iterator[Observation]:
    times = strip.at[begin:end].tolist()
    if kind is Input.CONTACTS:
        return map(Contact, times)
    return map(Reading, times, strip.value[begin:end].tolist())
