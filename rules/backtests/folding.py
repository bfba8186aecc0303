"""Folding history: what each of many folds says of a stretch, without the engine and without writing anything.

A fold begins at the saved state of the live fold nearest before the stretch, where the rule version is live, else at
the first stored observation. The outcome is that of the engine, because it is the same fold over the same observations.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rules.backtests.stretch import Stretch
from rules.conditions.span import Instant, Observation
from rules.conditions.watch import ALWAYS, Watch
from rules.fold import Fold, FoldState
from rules.instants import to_instant
from rules.lifecycle import Episode
from rules.store import Store
from rules.targets import Target
from veldwatch.errors import BacktestTooLarge
from veldwatch.model.conditions.inputs import Input

Step = Callable[[int, int], None]
"""Told now and then: folds that are done, observations that were folded; it may raise to end the work."""

MOST_ALERTS = 100_000
"""What more than this many alerts come of is no rule that anybody could live with, and a memory that nobody has."""

_TOGETHER = 100
"""Sources that are read at once, a page of each."""


def nothing(done: int, observations: int) -> None:
    """Take no notice."""


@dataclass(slots=True, kw_only=True)
class Folding:
    """One fold on its way through history.

    Attributes:
        since: where the stretch begins.
        position: the last observation in the state; None: none yet.
        episodes: what it has come to, oldest first.
    """

    target: Target
    fold: Fold
    state: FoldState
    since: Instant
    position: Instant | None
    episodes: list[Episode] = field(default_factory=list[Episode])
    observations: int = 0

    def take(self, observations: Iterable[Observation]) -> None:
        """Take the next observations; what fired before the stretch is not kept."""
        self.state, settled = self.fold.advance(self.state, observations)
        for span, at in settled:
            if span.reached_at is not None and span.reached_at >= self.since:
                self.episodes.append(Episode(span, at))
        if len(self.episodes) > MOST_ALERTS:
            raise BacktestTooLarge(
                f"more than {MOST_ALERTS} alerts of rule {self.target.rule.id!r}"
                " (choose a shorter stretch, fewer devices, or a stricter condition)"
            )

    def close(self, until: Instant) -> None:
        """Tell what is not settled at the end of the stretch."""
        self.episodes.extend(Episode(span) for span in self.fold.spans_at(self.state, until))


def fold_history(store: Store, targets: Sequence[Target], stretch: Stretch, step: Step = nothing) -> Iterator[Folding]:
    """Fold every target over what is stored before the end of a stretch.

    Args:
        store: shows observations before `stretch.until` only.
    """
    watch = store.watch(ALWAYS)
    until = to_instant(stretch.until)
    done = seen = 0
    for group in _together(targets):
        folding = beginnings(store, group, watch, stretch)
        waiting = folding
        while waiting:
            pages = store.observations([(each.target.source, each.position) for each in waiting], until)
            rest: list[Folding] = []
            for each, page in zip(waiting, pages, strict=True):
                each.take(page.observations)
                each.observations += len(page.observations)
                seen += len(page.observations)
                each.position = page.observations[-1].at if page.observations else each.position
                if page.more:
                    rest.append(each)
            waiting = rest
            step(done, seen)
        for each in folding:
            each.close(until)
            yield each
        done += len(folding)
        step(done, seen)


def beginnings(store: Store, targets: Sequence[Target], watch: Watch, stretch: Stretch) -> list[Folding]:
    """Set up folds where they begin for a stretch."""
    saved = store.folds([target.key for target in targets])
    made: list[Folding] = []
    for target in targets:
        fold, stored = target.fold_under(watch), saved.get(target.key)
        # What was never saved has no checkpoints either.
        kept = None if stored is None else store.checkpoint(target.key, to_instant(stretch.since))
        if kept is not None:
            state, position = fold.load(kept[1]), kept[0]
        elif stored is not None and stored.floor is not None:
            state, position = fold.initial(truncated=True), stored.floor
        else:
            state, position = fold.initial(), None
        made.append(Folding(target=target, fold=fold, state=state, since=to_instant(stretch.since), position=position))
    return made


def _together(targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Bring together what is read at once: some sources of a kind, all that share a grid."""
    ordered = sorted(targets, key=lambda target: (target.input.value, id(target.source.grid)))
    for (kind, _), found in groupby(ordered, key=lambda target: (target.input, id(target.source.grid))):
        group = list(found)
        size = len(group) if kind is Input.BUCKETS else _TOGETHER
        yield from (group[begin : begin + size] for begin in range(0, len(group), size))
