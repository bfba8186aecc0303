"""An engine that was killed goes on from what it saved and the log: the alerts are those of one that never ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule
from veldwatch.storage.log import LogBatch, LogCursor

STEADY = st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 9)), max_size=50).map(
    lambda steps: [(source, Reading(minute(number), float(value))) for number, (source, value) in enumerate(steps)]
)
"""One after another, a minute apart: what rests on the values before, as runs of flow do, has many of them."""

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

    def kill(self, now: datetime) -> None:
        self.store.rollback()
        self.start(now)

    def flush(self, now: datetime, limit: int = 10_000, *, everything: bool = False) -> None:
        self.engine.flush(now, limit, everything=everything)
        again = self.engine.unsaved_since()
        self.store.commit()
        self.again = again


@pytest.mark.parametrize(
    ("rules", "observations", "examples"),
    [
        (READING_RULES, STEADY, 15),
        (READING_RULES, READINGS, 40),
        ((*FIX_RULES, *CONTACT_RULES), st.tuples(FIXES, CONTACTS).map(lambda both: [*both[0], *both[1]]), 25),
    ],
    ids=["steady readings", "readings", "fixes and contacts"],
)
def test_killed_at_any_moment_the_alerts_are_the_same_in_the_end(
    rules: Sequence[Rule], observations: st.SearchStrategy[list[Stored]], examples: int
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(st.data())
    def check(drawn: st.DataObject) -> None:
        kept = unique(drawn.draw(observations))
        ordered = sorted(kept, key=lambda pair: pair[1].at)
        is_orderly = observations is STEADY or drawn.draw(st.booleans())
        arriving = ordered if is_orderly else drawn.draw(st.permutations(kept))
        driver = Driver(MemoryStore([active(rule) for rule in rules], watched()))
        now = START
        for batch in batched(arriving, drawn.draw(st.lists(st.integers(1, 8), max_size=10))):
            now += timedelta(minutes=drawn.draw(st.integers(0, 20)))
            driver.log.append(driver.store.put(batch))
            deeds = drawn.draw(st.lists(st.sampled_from(["killed", "kill", "flush", "some", "wake"]), max_size=3))
            if "killed" in deeds:
                driver.consume(now, killed=True)
            driver.consume(now)
            if "wake" in deeds:
                driver.engine.wake(now)
                driver.store.commit()
            if "flush" in deeds:
                driver.flush(now, everything=True)
            if "some" in deeds:
                driver.flush(now, limit=1)
            if "kill" in deeds:
                driver.kill(now)
        driver.engine.wake(LATER)
        driver.store.commit()
        assert driver.store.final() == in_order(rules, kept).final()
        told = [(identity, message["kind"]) for identity, message in driver.store.told if message["kind"] == "firing"]
        assert len(told) == len(set(told))

    check()


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
