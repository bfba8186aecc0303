"""One fold that the engine follows: its state in memory, and what of it is not saved yet.

A fold need not be saved with each observation: its position is honest, so after a crash what came later is read from
storage again. It must be saved when alerts changed, when it was rewound, and when it has to wake earlier than its saved
row says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.checkpoints import GRAIN, superfluous
from rules.conditions.span import Instant, Observation, Raise, Span
from rules.conditions.watch import Watch
from rules.fold import FoldState, Settled
from rules.store import FoldUpdate, StoredFold
from rules.targets import Target
from veldwatch.storage.folds import NOTHING_READ, LogRead

_STRIDE = 256
"""Observations of a long history between two states that may be kept."""
_LIVE_STRIDE = 64
"""The same for observations as they arrive."""
_BUCKETS_STRIDE = 16
"""The same for the buckets of a long history, which cost more to make again."""
_HOUR = 3_600_000_000
_SOON = 5_000_000
"""A bucket that is complete, but not known for want of who listened, is asked for again after this."""

Shown = tuple[tuple[Instant, Instant | None, Instant | None, tuple[Raise, ...]], ...]


@dataclass(slots=True, kw_only=True)
class Followed:
    """A fold in memory.

    Attributes:
        current: everything stored after `position` came, or will come, by the log; False: storage may hold more.
        read: what of the log is in the state, or was read from storage with it.
        saved_through: up to which transaction the log is in what is saved; None: not known.
        knows_checkpoints: `checkpoints` are all that are kept.
        rewound_from: how far it had come before it was rewound, while what is stored is still to be folded again.
        viewed_at: the latest `now` that spans were told for; never goes back.
        shown: what was told then; None: not known since the program started.
    """

    target: Target
    state: FoldState
    position: Instant | None = None
    floor: Instant | None = None
    wake_at: Instant | None = None
    saved_wake_at: Instant | None = None
    saved_viewed_at: Instant | None = None
    checkpoints: list[Instant] = field(default_factory=list[Instant])
    current: bool = False
    read: LogRead = NOTHING_READ
    saved_through: int | None = None
    knows_checkpoints: bool = True
    viewed_at: Instant | None = None
    rewound_from: Instant | None = None
    shown: Shown | None = None
    saved: bool = False
    saved_at: datetime | None = None
    dirty: bool = False
    _steps: int = 0
    _rewound_to: Instant | None = None
    _fresh_checkpoints: dict[Instant, str] = field(default_factory=dict[Instant, str])
    _superfluous: list[Instant] = field(default_factory=list[Instant])

    def rewind(self, position: Instant | None, state: FoldState) -> None:
        """Go back to an earlier state; later checkpoints are void."""
        floor = position if position is not None else -(2**62)
        self.checkpoints = [kept for kept in self.checkpoints if kept <= floor]
        self._rewound_to = floor + 1
        self._fresh_checkpoints.clear()
        self.position, self.state = position, state

    def fold(self, observations: Sequence[Observation], watch: Watch) -> list[Settled]:
        """Take the next observations, oldest first, keeping states on the way."""
        settled: list[Settled] = []
        fold = self.target.fold_under(watch)
        stride, live_stride = self._strides()
        for start in range(0, len(observations), stride):
            part = observations[start : start + stride]
            self.state, ended = fold.advance(self.state, part)
            self.position = part[-1].at
            settled.extend(ended)
            self._steps += len(part)
            if self._steps >= live_stride:
                self.keep_checkpoint()
        self.dirty = self.dirty or bool(observations)
        return settled

    def look(self, now: Instant, watch: Watch) -> list[Span]:
        """Tell the spans that are not settled, at `now` or at the latest time that was looked at before."""
        self.viewed_at = now if self.viewed_at is None else max(self.viewed_at, now)
        fold = self.target.fold_under(watch)
        self.wake_at = _earlier(fold.wake_at(self.state, self.viewed_at), self._next_bucket(self.viewed_at))
        return fold.spans_at(self.state, self.viewed_at)

    def _strides(self) -> tuple[int, int]:
        grid = self.target.source.grid
        if grid is None:
            return _STRIDE, _LIVE_STRIDE
        return _BUCKETS_STRIDE, max(_HOUR // grid.every, 1)

    def _next_bucket(self, now: Instant) -> Instant | None:
        """Tell when to look for the next bucket; None: it reads none."""
        grid = self.target.source.grid
        if grid is None:
            return None
        if self.position is None:
            # Nothing was observed, or no bucket is complete yet.
            return now + max(grid.every, _SOON)
        return max(self.position + grid.every + grid.wait, now + _SOON)

    def keep_checkpoint(self) -> None:
        """Keep this state, if it is not too close to the last one, and forget those that are too many now."""
        if self.position is None or (self.checkpoints and self.position - self.checkpoints[-1] < GRAIN):
            return
        self._steps = 0
        self.checkpoints.append(self.position)
        self._fresh_checkpoints[self.position] = self.target.fold.dump(self.state)
        for doomed in superfluous(self.checkpoints, self.position):
            self.checkpoints.remove(doomed)
            if self._fresh_checkpoints.pop(doomed, None) is None:
                self._superfluous.append(doomed)

    def must_be_saved(self) -> bool:
        """Tell whether a crash now would lose more than a second look at storage brings back."""
        wakes_earlier = self.wake_at is not None and (self.saved_wake_at is None or self.wake_at < self.saved_wake_at)
        # Where the clock ran ahead of the observations, what it told must stand when the next one comes.
        ahead = self.viewed_at is not None and (self.position is None or self.viewed_at > self.position)
        looked_ahead = ahead and self.viewed_at != self.saved_viewed_at
        is_rewound = self._rewound_to is not None
        return not self.saved or wakes_earlier or looked_ahead or is_rewound or bool(self._fresh_checkpoints)

    def update(self, now: datetime, through: int) -> FoldUpdate:
        """Give what is to be saved, and take it as saved.

        Args:
            through: up to which transaction the log was folded.
        """
        # Buckets are made of what storage holds, whenever that was written.
        is_known = self.current and self.target.source.grid is None
        read = self.read._replace(through=max(self.read.through, through)) if is_known else None
        update = FoldUpdate(
            key=self.target.key,
            state=self.target.fold.dump(self.state),
            position=self.position,
            floor=self.floor,
            wake_at=self.wake_at,
            viewed_at=self.viewed_at,
            rewound_to=self._rewound_to,
            checkpoints=dict(self._fresh_checkpoints),
            superfluous=tuple(self._superfluous),
            read=read,
        )
        self.saved_through = None if read is None else read.through
        self._rewound_to = None
        self._fresh_checkpoints.clear()
        self._superfluous.clear()
        self.saved, self.dirty, self.saved_at = True, False, now
        self.saved_wake_at, self.saved_viewed_at = self.wake_at, self.viewed_at
        return update


def _earlier(one: Instant | None, other: Instant | None) -> Instant | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def follow(target: Target, stored: StoredFold | None) -> Followed:
    """Take a fold up where it was saved, or at its very beginning."""
    if stored is None:
        return Followed(target=target, state=target.fold.initial())
    return Followed(
        target=target,
        state=target.fold.load(stored.state),
        position=stored.position,
        floor=stored.floor,
        wake_at=stored.wake_at,
        saved_wake_at=stored.wake_at,
        viewed_at=stored.viewed_at,
        saved_viewed_at=stored.viewed_at,
        knows_checkpoints=False,
        saved=True,
    )


def begin_at_floor(followed: Followed, floor: Instant) -> None:
    """Begin where a history is cut; the cut is a state to which late observations may rewind."""
    followed.state = followed.target.fold.initial(truncated=True)
    followed.position = followed.floor = floor
    followed.keep_checkpoint()
