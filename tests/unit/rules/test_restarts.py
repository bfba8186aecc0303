"""An engine that was killed goes on from what it saved: alerts and messages are those of one that never ended."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Instant, Reading
from rules.engine import Begin, Engine, EngineSettings
from rules.sources import Source
from rules.store import Page
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import (
    CONTACT_RULES,
    CONTACTS,
    FIX_RULES,
    FIXES,
    READING_RULES,
    READINGS,
    Stored,
    batched,
    in_order,
    unique,
)
from tests.unit.rules.worlds import LATER, START, active, minute, rule_for, watched
from veldwatch.model.alert import AlertState
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.identifiers import AlertId
from veldwatch.model.rule import Rule
from veldwatch.storage.log import LogBatch, LogCursor

STEADY = st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 9), st.integers(1, 8)), max_size=15).map(
    lambda runs: [
        (source, Reading(minute(number), float(value)))
        for number, (source, value) in enumerate((s, v) for s, v, length in runs for _ in range(length))
    ]
)
"""One after another, a minute apart: what rests on the values before, as runs of flow do, has many of them."""

_DEEDS = ("killed reading", "killed before it looks", "killed", "flush", "flush some")

_SETTINGS = EngineSettings(saved_within=timedelta(minutes=10))


@dataclass
class Driver:
    """Commits as `rules.rounds` does: folds and alerts with the cursor, and from where the log is needed again."""

    store: MemoryStore
    log: list[tuple[LogCursor, LogBatch]] = field(default_factory=list[tuple[LogCursor, LogBatch]])
    read: int = 0
    again: int | None = None
    reads_of_storage: int = 0

    def __post_init__(self) -> None:
        self.start(START)

    def start(self, now: datetime) -> None:
        """Begin where the last commit left it."""
        through = self.log[self.read - 1][0].xid if self.read else 0
        self.engine = Engine(self.store, _SETTINGS, begin=Begin(through, self.again))
        self.engine.refresh(now)
        for cursor, batch in self.log[: self.read] if self.again is not None else ():
            if cursor.xid > (self.again or 0):
                self.engine.replay(cursor, batch)
        self.store.commit()

    def consume(self, now: datetime, *, killed: bool = False) -> None:
        """Fold the next batch, and die before the commit if told to."""
        self.engine.consume(*self.log[self.read], now)
        if killed:
            self.kill(now)
            return
        self.store.commit()
        self.read += 1

    def round(self, batches: Sequence[Sequence[Stored]], now: datetime, deeds: Collection[str] = ()) -> None:
        """Store batches, fold them and look at the time, as `rules.main` does; meanwhile die and save as told to."""
        self.log += [self.store.put(batch) for batch in batches]
        while self.read < len(self.log):
            if "killed reading" in deeds:
                self.consume(now, killed=True)
            self.consume(now)
        if "killed before it looks" in deeds:
            self.kill(now)
        self.wake(now)
        if "flush" in deeds:
            self.flush(now, everything=True)
        if "flush some" in deeds:
            self.flush(now, limit=1)
        if "killed" in deeds:
            self.kill(now)

    def wake(self, now: datetime) -> None:
        self.engine.wake(now)
        self.store.commit()

    def kill(self, now: datetime) -> None:
        self.store.rollback()
        self.start(now)

    def flush(self, now: datetime, limit: int = 10_000, *, everything: bool = False) -> None:
        self.engine.flush(now, limit, everything=everything)
        again = self.engine.unsaved_since()
        self.store.commit()
        self.again = again


Belief = tuple[AlertId, object, object, object]
"""What an alert's last message says: when it began, fired and ended."""


def believed(store: MemoryStore) -> set[Belief]:
    """Give what people last heard of each alert; that one was retracted may be in the correction of another."""
    standing = {alert.id for alert in store.all_alerts() if alert.state is not AlertState.RETRACTED}
    last: dict[AlertId, Any] = {identity: message["alert"] for identity, message in store.told}
    return {(i, a["opened_at"], a["fired_at"], a["resolved_at"]) for i, a in last.items() if i in standing}


def tellings(store: MemoryStore) -> Counter[AlertId]:
    """Count the messages of each alert."""
    return Counter(identity for identity, _ in store.told)


def told_as_new(store: MemoryStore) -> list[AlertId]:
    """List the alerts that people were told of as news, as often as they were."""
    return [identity for identity, message in store.told if message["kind"] == "firing"]


@pytest.mark.parametrize(
    ("rules", "observations", "examples"),
    [
        (READING_RULES, STEADY, 15),
        (READING_RULES, READINGS, 40),
        ((*FIX_RULES, *CONTACT_RULES), st.tuples(FIXES, CONTACTS).map(lambda both: [*both[0], *both[1]]), 25),
    ],
    ids=["steady readings", "readings", "fixes and contacts"],
)
def test_killed_at_any_moment_alerts_and_tellings_are_those_of_an_engine_that_never_ended(
    rules: Sequence[Rule], observations: st.SearchStrategy[list[Stored]], examples: int
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.data())
    def check(drawn: st.DataObject) -> None:
        kept = unique(drawn.draw(observations))
        ordered = sorted(kept, key=lambda pair: pair[1].at)
        is_orderly = observations is STEADY or drawn.draw(st.booleans())
        rest = batched(
            ordered if is_orderly else drawn.draw(st.permutations(kept)),
            drawn.draw(st.lists(st.integers(1, 8), max_size=12)),
        )
        mortal, immortal = (Driver(MemoryStore([active(rule) for rule in rules], watched())) for _ in range(2))
        now = START
        while rest:
            now += timedelta(minutes=drawn.draw(st.integers(0, 20)))
            deeds = drawn.draw(st.sets(st.sampled_from(_DEEDS), max_size=3))
            count = drawn.draw(st.sampled_from([1, 1, 1, 2, 3]))
            mortal.round(rest[:count], now, deeds)
            immortal.round(rest[:count], now)
            rest = rest[count:]
            assert believed(mortal.store) == believed(immortal.store)
        for driver in (mortal, immortal):
            driver.wake(LATER)
        assert mortal.store.final() == in_order(rules, kept).final()
        assert believed(mortal.store) == believed(immortal.store)
        # Who starts again reads at once what came in steps, so some that lie between are not told.
        assert tellings(mortal.store) <= tellings(immortal.store)
        assert len(told_as_new(mortal.store)) == len(set(told_as_new(mortal.store)))

    check()


def test_what_the_clock_told_before_a_restart_is_neither_taken_back_nor_told_again() -> None:
    rule = rule_for(Threshold(metric="value", below=3), hold_for=3)
    driver = Driver(MemoryStore([active(rule)], watched()))
    driver.round([[(1, Reading(minute(0), 0.0))]], START + timedelta(minutes=3), {"flush"})
    assert [message["kind"] for _, message in driver.store.told] == ["firing"]
    driver.round([[(1, Reading(minute(1), 0.0))]], START + timedelta(minutes=3), {"killed reading"})
    driver.wake(LATER)
    assert [message["kind"] for _, message in driver.store.told] == ["firing"]
    assert [transition.kind.value for _, transition in driver.store.history] == ["firing"]


class _CountingStore(MemoryStore):
    """Counts folds that were read from storage."""

    reads = 0

    def observations(self, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        self.reads += len(after)
        return super().observations(after, until)


def _quiet(count: int, value: float = 1.0) -> list[Stored]:
    return [(source, Reading(minute(number), value)) for number in range(count) for source in (1, 2)]


def test_uneventful_folds_are_taken_up_without_a_look_at_storage() -> None:
    store = _CountingStore([active(rule_for(Threshold(metric="value", above=5)))], watched())
    driver = Driver(store)
    for batch in batched(_quiet(40), [10, 20, 20]):
        driver.log.append(store.put(batch))
        driver.consume(LATER)
    driver.flush(START, everything=True)
    driver.log.append(store.put([(source, Reading(minute(100), 1.0)) for source in (1, 2)]))
    driver.consume(LATER)
    before = store.reads
    driver.kill(LATER)
    driver.log.append(store.put([(1, Reading(minute(101), 9.0)), (2, Reading(minute(101), 1.0))]))
    driver.consume(LATER)
    assert store.reads == before
    assert {(subject, state) for _, subject, state, *_ in store.final()} == {("series:1", "firing")}


def test_a_device_that_was_away_is_read_from_storage_after_a_restart_too() -> None:
    store = MemoryStore([active(rule_for(Threshold(metric="value", above=5)))], watched())
    driver = Driver(store)
    driver.log.append(store.put(_quiet(3)))
    driver.consume(LATER)
    driver.flush(START, everything=True)
    store.replace_watched(watched(1))
    driver.engine.refresh(LATER)
    store.commit()
    driver.log.append(store.put([(2, Reading(minute(10), 9.0))]))
    driver.consume(LATER)
    driver.flush(START, everything=True)
    store.replace_watched(watched(2))
    driver.kill(LATER)
    driver.log.append(store.put([(2, Reading(minute(11), 1.0))]))
    driver.consume(LATER)
    assert [(subject, state) for _, subject, state, *_ in store.final()] == [("series:2", "resolved")]


def test_what_moved_on_and_was_not_saved_is_read_from_the_log_again() -> None:
    rule = rule_for(ContinuousFlow(metric="value", of=FlowKind.RATE, duration=timedelta(minutes=10)))
    store = MemoryStore([active(rule)], watched())
    driver = Driver(store)
    minutes = [[(source, Reading(minute(n), float(n > 3))) for source in (1, 2)] for n in range(20)]
    for readings in minutes[:10]:
        driver.log.append(store.put(readings))
        driver.consume(START + timedelta(minutes=10))
        if len(driver.log) == 3:
            driver.flush(START, everything=True)
    # Of two folds whose runs have begun one is saved, not the other.
    driver.flush(START + timedelta(minutes=20), limit=1)
    driver.kill(START + timedelta(minutes=20))
    for readings in minutes[10:]:
        driver.log.append(store.put(readings))
        driver.consume(START + timedelta(minutes=20))
    opened = START + timedelta(minutes=4)
    found = {(subject, state, opened_at) for _, subject, state, opened_at, *_ in store.final()}
    assert found == {("series:1", "firing", opened), ("series:2", "firing", opened)}
