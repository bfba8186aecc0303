"""An engine that was killed goes on from what it saved: alerts and messages are those of one that never ended."""

from collections.abc import Collection, Mapping, Sequence
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


@dataclass
class Pair:
    """Two engines that are given the same at the same times; one of them dies now and then.

    One that starts again reads storage where the other, which reads its log, knows all, and so may look further. That
    is no fault: the immortal one is made to read storage with it. What is told has to be the same to the letter then.
    """

    rules: Sequence[Rule]
    mortal: Driver = field(init=False)
    immortal: Driver = field(init=False)

    def __post_init__(self) -> None:
        self.mortal, self.immortal = (
            Driver(MemoryStore([active(rule) for rule in self.rules], watched())) for _ in range(2)
        )

    def round(self, batches: Sequence[Sequence[Stored]], now: datetime, deeds: Collection[str] = ()) -> None:
        """Store batches, fold them and look at the time, as `rules.main` does; meanwhile die and save as told to."""
        for driver in (self.mortal, self.immortal):
            driver.log += [driver.store.put(batch) for batch in batches]
        for _ in batches:
            if "killed reading" in deeds:
                self.mortal.consume(now, killed=True)
                self._read_alike()
            self.mortal.consume(now)
            self.immortal.consume(now)
        if "killed before it looks" in deeds:
            self._kill(now)
        self.wake(now)
        if "flush" in deeds:
            self.mortal.flush(now, everything=True)
        if "flush some" in deeds:
            self.mortal.flush(now, limit=1)
        if "killed" in deeds:
            self._kill(now)

    def wake(self, now: datetime) -> None:
        self.mortal.wake(now)
        self.immortal.wake(now)

    def _kill(self, now: datetime) -> None:
        self.mortal.kill(now)
        self._read_alike()

    def _read_alike(self) -> None:
        engine, taken_up = self.immortal.engine, self.mortal.engine._followed  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # for this alone
        for key, followed in engine._followed.items():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            followed.current = key in taken_up and taken_up[key].current
            if not followed.current:
                engine._arrivals.release(followed)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _by_alert(store: MemoryStore) -> dict[AlertId, list[Mapping[str, object]]]:
    """Give what was told of each alert, in order."""
    found: dict[AlertId, list[Mapping[str, object]]] = {}
    for identity, message in store.told:
        found.setdefault(identity, []).append(message)
    return found


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
        pair = Pair(rules)
        now = START
        while rest:
            now += timedelta(minutes=drawn.draw(st.integers(0, 20)))
            deeds = drawn.draw(st.sets(st.sampled_from(_DEEDS), max_size=3))
            count = drawn.draw(st.sampled_from([1, 1, 1, 2, 3]))
            pair.round(rest[:count], now, deeds)
            rest = rest[count:]
        pair.wake(LATER)
        mortal, immortal = pair.mortal.store, pair.immortal.store
        assert mortal.final() == in_order(rules, kept).final()
        assert _by_alert(mortal) == _by_alert(immortal)
        news = [identity for identity, message in mortal.told if message["kind"] == "firing"]
        assert len(news) == len(set(news))

    check()


def test_what_the_clock_told_before_a_restart_is_neither_taken_back_nor_told_again() -> None:
    pair, now = Pair([rule_for(Threshold(metric="value", below=3), hold_for=3)]), START + timedelta(minutes=3)
    store = pair.mortal.store
    pair.round([[(1, Reading(minute(0), 0.0))]], now, {"flush"})
    assert [message["kind"] for _, message in store.told] == ["firing"]
    pair.round([[(1, Reading(minute(1), 0.0))]], now, {"killed reading"})
    pair.wake(LATER)
    assert [message["kind"] for _, message in store.told] == ["firing"]
    assert [transition.kind.value for _, transition in store.history] == ["firing"]


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
