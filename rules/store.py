"""What the engine needs of its memory: an interface, so that one engine runs on PostgreSQL and in a test's dictionary.

Every call takes part in the transaction of whoever drives the engine; times are instants except within alerts.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from rules.conditions.span import Instant, Observation
from rules.conditions.watch import Watch
from rules.lifecycle import AlertStretch, Revision
from rules.sources import Source
from rules.targets import FoldKey, Target
from veldwatch.model.alert import Alert
from veldwatch.model.identifiers import AlertId, RuleVersionId
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched
from veldwatch.storage.folds import LogRead


class ActiveRule(NamedTuple):
    """The active version of an enabled rule.

    Attributes:
        activated: the history before it was folded.
    """

    version: RuleVersionId
    rule: Rule
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFold:
    """A fold as it was saved.

    Attributes:
        state: parsed JSON.
        position: the last observation in the state; None: none yet.
        floor: observations up to here are never folded again; None: all may be.
        wake_at: when time alone changes what it says.
        viewed_at: the latest time as of which its alerts were told; None: not known.
    """

    state: Any
    position: Instant | None
    floor: Instant | None
    wake_at: Instant | None
    viewed_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldUpdate:
    """What is to be saved of a fold.

    Attributes:
        state: JSON.
        rewound_to: checkpoints from here on are void; None: all stand.
        checkpoints: new ones, position to JSON.
        superfluous: checkpoints to forget.
        read: what of the log is in the state; None: not known.
    """

    key: FoldKey
    state: str
    position: Instant | None
    floor: Instant | None
    wake_at: Instant | None
    viewed_at: Instant | None = None
    rewound_to: Instant | None = None
    checkpoints: Mapping[Instant, str] = field(default_factory=dict[Instant, str])
    superfluous: Sequence[Instant] = ()
    read: LogRead | None = None


class Page(NamedTuple):
    """Stored observations of one source after a position, oldest first, and whether there are more."""

    observations: list[Observation]
    more: bool


class Wanted(NamedTuple):
    """Which recorded alerts of a fold are asked for: those not settled by `after` (None: all), and those of `ids`."""

    after: Instant | None
    ids: tuple[AlertId, ...]


class Telling(NamedTuple):
    """A notification for one transition of a revision, by the transition's number."""

    transition: int
    message: Mapping[str, object]


class Entry(NamedTuple):
    """A revision to be recorded, for which target, with the messages that tell of it."""

    target: Target
    revision: Revision
    summary: str
    evidence: Mapping[str, object]
    tellings: tuple[Telling, ...]


class Store(Protocol):
    """The engine's memory."""

    def look(self, seen: str | None) -> str | None:
        """Give a mark of rules and register as they are; None: nothing has changed since a mark of the last day."""
        ...

    def rules(self) -> list[ActiveRule]:
        """List the rules that are to be carried out."""
        ...

    def watched(self) -> Watched:
        """Give the devices, series and sites that rules may match."""
        ...

    def watch(self, known: Watch) -> Watch:
        """Tell who listened when.

        Args:
            known: what was told last; of it stays what did not change.
        """
        ...

    def answered(self, keys: Sequence[FoldKey]) -> dict[FoldKey, list[AlertStretch]]:
        """List, by subject, the stretches of alerts of other versions of the same rule that are over.

        Those that ended because the rule was changed are left out; the new version goes on with them.
        """
        ...

    def visible_before(self) -> int:
        """Give the transaction id before which every transaction is over and seen by later reads."""
        ...

    def folds(self, keys: Sequence[FoldKey]) -> dict[FoldKey, StoredFold]:
        """Load folds; those that were never saved are left out."""
        ...

    def read_folds(self) -> Iterator[tuple[FoldKey, StoredFold, LogRead]]:
        """Load all folds of which it is known what of the log is in them."""
        ...

    def forget_read(self, keys: Sequence[FoldKey] | None) -> None:
        """Let it be unknown what of the log is in folds; None: in any."""
        ...

    def unsettled(self) -> Collection[FoldKey]:
        """List folds with a recorded alert that the next observation may still change."""
        ...

    def checkpoints(self, keys: Sequence[FoldKey]) -> Mapping[FoldKey, list[Instant]]:
        """List the positions of the earlier states of folds that are kept, oldest first."""
        ...

    def checkpoint(self, key: FoldKey, before: Instant) -> tuple[Instant, Any] | None:
        """Load the newest earlier state of a fold whose position is before an instant."""
        ...

    def floor_of_history(self, source: Source, since: Instant) -> Instant | None:
        """Tell up to where a source's history is too old to be folded for a new rule; None: all is to be."""
        ...

    def observations(self, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        """Read stored observations after (source, position), a page of each, in that order; None: from the first on.

        Args:
            until: buckets that are not complete by then are left out.
        """
        ...

    def alerts(self, wanted: Mapping[FoldKey, Wanted]) -> dict[FoldKey, list[Alert]]:
        """Load recorded alerts; retracted ones only by id."""
        ...

    def open_alerts(self) -> list[tuple[FoldKey, Alert]]:
        """List alerts that are pending or firing, of whatever rule version."""
        ...

    def due(self, now: Instant, limit: int) -> list[FoldKey]:
        """List folds whose time to wake has come, the longest due first."""
        ...

    def save_folds(self, updates: Sequence[FoldUpdate]) -> None:
        """Save folds and their checkpoints."""
        ...

    def forget_wakes(self, keys: Sequence[FoldKey]) -> None:
        """Let folds sleep that nobody follows any more."""
        ...

    def set_activated(self, version: RuleVersionId, now: datetime) -> None:
        """Note that the history before a rule version was folded."""
        ...

    def record(self, entries: Sequence[Entry], now: datetime) -> None:
        """Write alerts, transitions and outbox rows."""
        ...

    def close(self, withdrawn: Sequence[tuple[FoldKey, Revision]], now: datetime) -> None:
        """Write the end of alerts whose rule is gone."""
        ...
