"""The engine: observations as the log brings them -> folds -> alerts, transitions and messages.

Contract: what is recorded is a function of what is stored. The driver (`rules.program`) gives the time, opens the
transaction and saves the log's cursor in it; after any error it throws the engine away and makes a new one, which takes
up the folds where they were saved and reads from storage what came after. An observation that is older than its fold's
position rewinds that fold to an earlier state and folds again what is stored since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from rules.arrivals import Arrivals
from rules.collector import collector_at_rest
from rules.conditions.span import Instant, Observation
from rules.conditions.watch import ALWAYS
from rules.followed import Followed, begin_at_floor, follow
from rules.instants import to_datetime, to_instant
from rules.lifecycle import AlertStretch, Recording, reconcile, withdraw
from rules.outcomes import (
    Outcome,
    alert_ids,
    comes_late,
    episodes_of,
    fresh_of,
    has_more_over,
    is_news,
    shown_of,
)
from rules.store import ActiveRule, Entry, Store, Wanted
from rules.taking_up import distrust, shows_nothing, take_up, unsaved_since
from rules.targets import FoldKey, Refusal, Target, find_targets
from rules.wording import entry_of
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.explanation import DEFAULT_PATIENCE, Patience
from veldwatch.model.identifiers import RuleVersionId
from veldwatch.model.places import EVERYTHING, Place
from veldwatch.model.watched import Watched
from veldwatch.storage.folds import LogRead
from veldwatch.storage.log import LogBatch, LogCursor

_ACTIVATED_AT_ONCE = 20
"""Subjects whose whole history is folded in one transaction."""
_READ_AT_ONCE = 100
_TRUST = timedelta(hours=12)
"""How long it is enough to ask whether register and rules have changed: what changed is listed for a day."""
_REGRID = 10_000_000
"""How long after late observations the buckets of a grid are folded again, so that many cause it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine treats the past.

    Attributes:
        news_age: what fired longer ago than this is told as history.
        history: how far back a new rule looks; None: to the first observation.
        saved_within: a fold that changed is saved at the latest this long after.
        patience: how exact times are taken to be where one alert explains another.
    """

    news_age: timedelta = timedelta(hours=6)
    history: timedelta | None = None
    saved_within: timedelta = timedelta(minutes=10)
    patience: Patience = DEFAULT_PATIENCE


class Begin(NamedTuple):
    """Where the log was left.

    Attributes:
        through: every transaction up to this one was consumed.
        again: every fold that is saved with what it holds of the log holds it up to here; None: not known.
    """

    through: int = 0
    again: int | None = None


class Engine:
    """Carries out the rules for a share of the subjects; one at a time for each share."""

    def __init__(
        self,
        store: Store,
        settings: EngineSettings,
        place: Place = EVERYTHING,
        begin: Begin | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._place = place
        self._begin = begin or Begin()
        self._through = self._begin.through
        self._targets: dict[FoldKey, Target] = {}
        self._followed: dict[FoldKey, Followed] = {}
        self._to_activate: dict[RuleVersionId, list[Target]] = {}
        self._arrivals = Arrivals(())
        self._seen: tuple[list[ActiveRule], Watched] | None = None
        self._mark: str | None = None
        self._looked_at: datetime | None = None
        self._refusals: list[Refusal] = []
        self._watch = ALWAYS

    def refresh(self, now: datetime) -> list[Refusal]:
        """Read rules and register again; end the alerts of rules that are gone.

        Returns:
            Rules that could not be carried out for some devices.
        """
        is_fresh = self._looked_at is not None and now - self._looked_at < _TRUST
        mark = self._store.look(self._mark if is_fresh else None)
        if mark is not None:
            with collector_at_rest():
                self._look_again()
            self._withdraw(now)
            self._mark, self._looked_at = mark, now
        return self._refusals

    def _look_again(self) -> None:
        seen, is_first = (self._store.rules(), self._store.watched()), self._seen is None
        if seen != self._seen:
            self._refusals = self._retarget(*seen)
            self._seen = seen
        if is_first:
            self._take_up()

    def unsaved_since(self) -> int:
        """Tell up to which transaction the log is in all that is saved: what came later is needed after a restart."""
        return unsaved_since(self._followed.values(), self._through)

    def replay(self, cursor: LogCursor, batch: LogBatch) -> None:
        """Take up once more what was consumed before a restart; nothing is recorded."""
        for key, observations in self._arrivals.by_key(cursor.xid, batch).items():
            followed = self._followed.get(key)
            if followed is not None and followed.current and self._unread(key, observations, cursor):
                self._arrivals.release(followed)
                distrust(followed)

    def _take_up(self) -> None:
        """Go on with the folds that were saved with what they hold of the log."""
        if self._begin.again is None:
            self._store.forget_read(None)
            return
        unsettled, strangers = self._store.unsettled(), list[FoldKey]()
        for key, stored, read in self._store.read_folds():
            target = self._targets.get(key)
            if target is None or target.source.grid is not None or key.version in self._to_activate:
                strangers.append(key)
                continue
            followed = take_up(target, stored, read, self._begin.again)
            if key not in unsettled and shows_nothing(followed, self._watch):
                followed.shown = ()
            self._followed[key] = followed
            self._arrivals.hold(followed)
        self._store.forget_read(strangers)

    def _retarget(self, rules: list[ActiveRule], watched: Watched) -> list[Refusal]:
        for followed in self._followed.values():
            self._arrivals.release(followed)
        targets, refusals = find_targets(((active.version, active.rule) for active in rules), watched, self._place)
        before, self._targets = self._targets, {target.key: target for target in targets}
        # What comes while nobody follows them is to be read from storage, should they come back.
        self._store.forget_read([key for key in before if key not in self._targets])
        self._followed = {
            key: self._retargeted(followed) for key, followed in self._followed.items() if key in self._targets
        }
        self._arrivals = Arrivals(targets, watched)
        for followed in self._followed.values():
            self._arrivals.hold(followed)
        waiting = {active.version for active in rules if not active.activated}
        self._to_activate = {version: [] for version in waiting}
        for target in targets:
            if target.key.version in waiting and not self._is_current(target.key):
                self._to_activate[target.key.version].append(target)
        return refusals

    def consume(self, cursor: LogCursor, batch: LogBatch, now: datetime, *, more: bool = False) -> list[Refusal]:
        """Fold what one committed write held.

        Args:
            more: another batch of the same transaction may follow.
        """
        refusals = self.refresh(now) if self._arrivals.has_strangers(batch) else []
        self._through = max(self._through, cursor.xid - more)
        seen = {
            key: unread
            for key, observations in self._arrivals.by_key(cursor.xid, batch).items()
            if (unread := self._unread(key, observations, cursor))
        }
        self._attend(seen)
        self._absorb(seen, now, complete=False)
        return refusals

    def wake(self, now: datetime, limit: int = 1000) -> bool:
        """Look at folds that time alone changes, after reading whatever storage holds for them.

        Returns:
            True: there may be more.
        """
        due = self._store.due(to_instant(now), limit)
        self._store.forget_wakes([key for key in due if key not in self._targets])
        self._absorb({key: [] for key in due if key in self._targets}, now, complete=True)
        return len(due) == limit

    def activate(self, now: datetime) -> bool:
        """Fold the history of some of the subjects of a new rule.

        Returns:
            True: there is more to do.
        """
        if not self._to_activate:
            return False
        version, targets = next(iter(self._to_activate.items()))
        part = targets[:_ACTIVATED_AT_ONCE]
        self._to_activate[version] = targets[len(part) :]
        self._follow(target.key for target in part)
        for target in part:
            self._cut_history(self._followed[target.key], now)
        self._absorb({target.key: [] for target in part}, now, complete=True, history=True)
        if not self._to_activate[version]:
            self._store.set_activated(version, now)
            del self._to_activate[version]
            self._note_activated(version)
        return bool(self._to_activate)

    def _note_activated(self, version: RuleVersionId) -> None:
        if self._seen is not None:
            rules, watched = self._seen
            rules = [one._replace(activated=True) if one.version == version else one for one in rules]
            self._seen = rules, watched

    def flush(self, now: datetime, limit: int = 10_000, *, everything: bool = False) -> bool:
        """Save folds that changed a while ago, so many at most.

        Returns:
            True: there are more.
        """
        for key in list(self._arrivals.moved()):
            self._arrivals.release(self._followed[key])
            self._arrivals.hold(self._followed[key])
        due = [
            followed
            for followed in self._followed.values()
            if followed.dirty
            and (everything or followed.saved_at is None or now - followed.saved_at >= self._settings.saved_within)
        ]
        part = due[:limit]
        self._learn_checkpoints(part)
        for followed in part:
            followed.keep_checkpoint()
        self._store.save_folds([followed.update(now, self._through) for followed in part])
        return len(part) < len(due)

    def _retargeted(self, followed: Followed) -> Followed:
        followed.target = self._targets[followed.target.key]
        return followed

    def _withdraw(self, now: datetime) -> None:
        gone = [(key, alert) for key, alert in self._store.open_alerts() if key not in self._targets]
        self._store.close([(key, withdraw(alert, now)) for key, alert in gone], now)

    def _is_current(self, key: FoldKey) -> bool:
        followed = self._followed.get(key)
        return followed is not None and followed.current

    def _attend(self, keys: Iterable[FoldKey]) -> None:
        """Learn who listened, after observations were read and before they are folded: every gap before them counts."""
        if any(self._targets[key].source.needs_watch() for key in keys):
            self._watch = self._store.watch(self._watch)

    def _unread(self, key: FoldKey, observations: list[Observation], cursor: LogCursor) -> list[Observation]:
        """Leave out what was read from storage already, and subjects whose history is still to be folded."""
        followed = self._followed.get(key)
        if followed is None:
            return [] if key.version in self._to_activate else observations
        if cursor.xid <= followed.read.through:
            return []
        if cursor.xid >= followed.read.before:
            return observations
        after = followed.read.after
        if after is None:
            return []
        # Of the instant that a state ends with, a part may have been stored after it was read.
        last = after if followed.target.input.comes_in_parts else after - 1
        return [seen for seen in observations if seen.at <= last]

    def _cut_history(self, followed: Followed, now: datetime) -> None:
        if followed.saved or followed.position is not None:
            return
        if self._settings.history is None:
            return
        since = to_instant(now - self._settings.history)
        floor = self._store.floor_of_history(followed.target.source, since)
        if floor is not None:
            begin_at_floor(followed, floor)

    def _follow(self, keys: Iterable[FoldKey]) -> None:
        missing = [key for key in keys if key not in self._followed]
        if not missing:
            return
        stored = self._store.folds(missing)
        for key in missing:
            self._followed[key] = follow(self._targets[key], stored.get(key))

    def _learn_checkpoints(self, folds: Iterable[Followed]) -> None:
        unknown = {followed.target.key: followed for followed in folds if not followed.knows_checkpoints}
        if not unknown:
            return
        kept = self._store.checkpoints(list(unknown))
        for key, followed in unknown.items():
            followed.checkpoints, followed.knows_checkpoints = kept.get(key, []), True

    def _absorb(
        self,
        seen: Mapping[FoldKey, list[Observation]],
        now: datetime,
        *,
        complete: bool,
        history: bool = False,
    ) -> None:
        """Fold observations, and record what changed.

        Args:
            complete: read from storage what it holds, also for folds that are current.
            history: what is over already is told to nobody.
        """
        self._follow(seen)
        self._learn_checkpoints(self._followed[key] for key in seen)
        for key in seen:
            self._arrivals.release(self._followed[key])
        from_storage: list[tuple[Followed, Instant | None]] = []
        outcomes: list[Outcome] = []
        deferred: list[Followed] = []
        for key, observations in seen.items():
            followed = self._followed[key]
            head = followed.position
            if followed.target.input is Input.BUCKETS and followed.current and not complete:
                deferred.extend(self._touched(followed, observations, now))
                continue
            fresh = fresh_of(followed, observations)
            is_late = comes_late(fresh, head)
            if is_late and not self._rewind(followed, fresh[0].at):
                # Its history was closed in the meantime: what came after that counts all the same.
                fresh = fresh_of(followed, observations)
                is_late = comes_late(fresh, head) and self._rewind(followed, fresh[0].at)
            if complete or is_late or not followed.current:
                from_storage.append((followed, followed.rewound_from or head))
                followed.rewound_from = None
            elif fresh:
                outcomes.append(self._live(followed, fresh, now, head))
        outcomes += self._replayed(from_storage, now, history=history)
        self._record([outcome for outcome in outcomes if is_news(outcome)], now)
        to_save = [o.followed for o in outcomes if complete or o.followed.must_be_saved()]
        self._store.save_folds([followed.update(now, self._through) for followed in (*to_save, *deferred)])
        for key in seen:
            self._arrivals.hold(self._followed[key])

    def _touched(self, followed: Followed, touches: Sequence[Observation], now: datetime) -> list[Followed]:
        """Go back to before late observations of a grid's members, and fold its buckets again a little later.

        Each batch of an import touches old buckets; were they made again for each, the import would take for ever.

        Returns:
            The fold, if it has to be saved.
        """
        head = followed.position
        late = min((seen.at for seen in touches), default=None)
        if head is None or late is None or late > head:
            return []
        if followed.floor is not None and late <= followed.floor:
            late = followed.floor + 1
        if not self._rewind(followed, late):
            return []
        followed.rewound_from = max(head, followed.rewound_from or head)
        followed.wake_at = to_instant(now) + _REGRID
        return [followed]

    def _rewind(self, followed: Followed, late: Instant) -> bool:
        """Go back to before a late observation; False: its history is closed."""
        kept = self._store.checkpoint(followed.target.key, late)
        if kept is not None:
            followed.rewind(kept[0], followed.target.fold.load(kept[1]))
            return True
        # Retention may have closed the history since the fold was loaded.
        saved = self._store.folds([followed.target.key]).get(followed.target.key)
        followed.floor = saved.floor if saved is not None else followed.floor
        if followed.floor is not None:
            return False
        followed.rewind(None, followed.target.fold.initial())
        return True

    def _live(self, followed: Followed, fresh: Sequence[Observation], now: datetime, head: Instant | None) -> Outcome:
        """Fold what came in order.

        Spans are told as of the last observation, not as of now: the log may be behind, and what it has not
        brought yet must not look like silence. What time alone changes is left to `wake`.
        """
        settled = followed.fold(fresh, self._watch)
        spans = followed.look(min(to_instant(now), fresh[-1].at), self._watch)
        return Outcome(followed, settled, spans, head, head, history=False)

    def _replayed(
        self, rewound: Sequence[tuple[Followed, Instant | None]], now: datetime, *, history: bool
    ) -> list[Outcome]:
        """Fold what storage holds after the position of each fold."""
        if not rewound:
            return []
        visible = self._store.visible_before()
        outcomes = [Outcome(f, [], [], f.position, head, history) for f, head in rewound]
        self._read_on(outcomes, to_instant(now))
        for outcome in outcomes:
            followed = outcome.followed
            followed.current, followed.read = True, LogRead(followed.read.through, visible, outcome.after)
            outcome.spans.extend(followed.look(to_instant(now), self._watch))
        return outcomes

    def _read_on(self, outcomes: Sequence[Outcome], now: Instant) -> None:
        rest = sorted(outcomes, key=lambda outcome: outcome.followed.target.source.input)
        while rest:
            part, rest = rest[:_READ_AT_ONCE], rest[_READ_AT_ONCE:]
            wanted = [(outcome.followed.target.source, outcome.followed.position) for outcome in part]
            pages = self._store.observations(wanted, self._known_until(part, now))
            self._attend(outcome.followed.target.key for outcome in part)
            for outcome, page in zip(part, pages, strict=True):
                outcome.settled.extend(outcome.followed.fold(page.observations, self._watch))
                if page.more:
                    rest.append(outcome)

    def _known_until(self, outcomes: Sequence[Outcome], now: Instant) -> Instant:
        """Tell until when buckets may be made: of contacts, not beyond what who listened is known to have heard."""
        if not any(o.followed.target.source.grid and o.followed.target.source.needs_watch() for o in outcomes):
            return now
        self._watch = self._store.watch(self._watch)
        return now if self._watch.until is None else min(now, self._watch.until)

    def _record(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        if not outcomes:
            return
        episodes = {outcome.followed.target.key: episodes_of(outcome) for outcome in outcomes}
        wanted = {
            outcome.followed.target.key: Wanted(
                outcome.after, tuple(alert_ids(outcome.followed.target.key, episodes[outcome.followed.target.key]))
            )
            for outcome in outcomes
        }
        recorded = self._store.alerts(wanted)
        answered = self._store.answered(
            [key for key, found in episodes.items() if has_more_over(found, recorded.get(key, ()))]
        )
        entries: list[Entry] = []
        for outcome in outcomes:
            key = outcome.followed.target.key
            recording = self._recording(outcome, answered.get(key, ()), now)
            revisions = reconcile(recorded.get(key, []), episodes[key], recording)
            entries.extend(
                entry_of(outcome.followed.target, revision, now, self._settings.news_age) for revision in revisions
            )
            outcome.followed.shown = shown_of(outcome.spans)
        self._store.record(entries, now)

    def _recording(self, outcome: Outcome, answered: Sequence[AlertStretch], now: datetime) -> Recording:
        return Recording(
            version=outcome.followed.target.key.version,
            subject=outcome.followed.target.key.subject,
            now=now,
            news_age=self._settings.news_age,
            head=None if outcome.head is None else to_datetime(outcome.head),
            history=outcome.history,
            answered=answered,
        )
