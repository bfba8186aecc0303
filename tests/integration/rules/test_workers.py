"""Several workers share the subjects: together they record what one records, each alert once, whoever dies or comes."""

import random
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.conditions.span import Observation
from rules.engine import EngineSettings
from rules.rounds import Rounds
from tests.integration.rules.feed import Engineer, Feed
from tests.integration.rules.test_engine_on_postgres import RULES, batches, expected, observations
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_restarts import Driver
from tests.unit.rules.worlds import LATER, START, active, minute, rule_for, watched
from veldwatch.model.alert import AlertState
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.identifiers import AlertId
from veldwatch.model.notifications import Channel
from veldwatch.model.places import Place, places
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule, set_enabled
from veldwatch.storage.workers import take_place

Belief = tuple[AlertId, str | None, str | None, str | None]
"""What an alert's last message says: when it began, fired and ended."""


@dataclass
class Crew:
    """Workers within this process, each with a connection of its own that it may lose at any moment."""

    dsn: str
    hired: list[tuple[Connection, Rounds]] = field(default_factory=list[tuple[Connection, Rounds]])

    def hire(self, division: int) -> None:
        """Fill every free place of a division, as programs that were started do."""
        deadline = time.monotonic() + 20
        while len(self.hired) < division:
            session = connect(self.dsn, autocommit=True, application="tests-worker")
            place = take_place(session, division)
            if place is None:
                session.close()
                assert time.monotonic() < deadline, "no place was ever free"
                time.sleep(0.02)
            else:
                self.hired.append((session, Rounds(session, EngineSettings(), place)))

    def settle(self, now: datetime) -> None:
        for _, rounds in self.hired:
            rounds.settle(now)

    def read(self, number: int, now: datetime) -> None:
        """Let one worker do a little, whatever the others do."""
        _, rounds = self.hired[number % len(self.hired)]
        rounds.refresh(now)
        rounds.activate(now)
        rounds.read_log(now)

    def flush(self, number: int, now: datetime, *, everything: bool) -> None:
        self.hired[number % len(self.hired)][1].flush(now, everything=everything)

    def kill(self, number: int) -> None:
        """End a worker as a lost connection does: what was not committed is gone."""
        session, _ = self.hired.pop(number % len(self.hired))
        session.close()

    def die_reading(self, number: int, now: datetime) -> None:
        """Let a worker read the log, and end before it commits."""
        session, rounds = self.hired[number % len(self.hired)]
        rounds.refresh(now)
        with session.transaction(force_rollback=True):
            rounds.read_log(now)
        self.kill(number)

    def kill_all(self) -> None:
        while self.hired:
            self.kill(0)


@pytest.fixture
def crew(dsn: str) -> Generator[Crew]:
    made = Crew(dsn)
    yield made
    made.kill_all()


@pytest.fixture
def town(feed: Feed, connection: Connection) -> Feed:
    """Give two devices with a series each, every rule, and somebody who is told."""
    for name in ("d1", "d2"):
        feed.device(name, ["value"])
    with connection.transaction():
        for rule in RULES:
            save_rule(connection, rule, "tests")
        add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))
    return feed


def check(dsn: str, seen: list[tuple[int, Observation]]) -> None:
    """Compare with one engine that saw all in order, and see that nothing was told twice."""
    with closing(connect(dsn, autocommit=True)) as session:
        rows = session.execute(
            b"SELECT d.external_id, a.state, a.opened_at, a.fired_at, a.resolved_at"
            b" FROM alert a JOIN device d ON d.id = a.device_id WHERE a.state <> 'retracted'"
        ).fetchall()
        told = session.execute(
            b"SELECT alert_id, message->>'kind', count(*) FROM outbox WHERE state <> 'suppressed' GROUP BY 1, 2"
        ).fetchall()
    assert {tuple(row) for row in rows} == expected(RULES, seen)
    assert {count for _, kind, count in told if kind == "firing"} <= {1}


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
@pytest.mark.parametrize("division", [2, 3])
def test_workers_together_record_what_one_engine_records(town: Feed, crew: Crew, division: int) -> None:
    seen = observations(division, 30)
    crew.hire(division)
    draw = random.Random(division)  # noqa: S311  # the same each time
    for batch in batches(seen, division):
        town.put(batch)
        for _ in range(division):
            crew.read(draw.randrange(division), LATER)
        if draw.random() < 0.3:
            crew.flush(draw.randrange(division), LATER, everything=draw.random() < 0.5)
        if draw.random() < 0.4:
            crew.kill(draw.randrange(division))
            crew.hire(division)
    crew.settle(LATER)
    check(crew.dsn, seen)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
@pytest.mark.parametrize("division", [1, 2])
def test_workers_that_are_killed_tell_what_one_that_never_ended_tells(town: Feed, crew: Crew, division: int) -> None:
    draw = random.Random(division)  # noqa: S311  # the same each time
    immortal = Driver(MemoryStore([active(rule) for rule in RULES], watched()))
    crew.hire(division)
    crew.settle(START)
    # Most come about in time, some late.
    seen = sorted(observations(division, 40), key=lambda pair: pair[1].at + draw.randrange(5) * minute(8) // 60)
    for number, begin in enumerate(range(0, len(seen), 9)):
        part = seen[begin : begin + 9]
        now = START + timedelta(minutes=number * 8)
        town.put([(f"d{device}", "value", one) for device, one in part])
        immortal.log.append(immortal.store.put(part))
        immortal.consume(now)
        immortal.wake(now)
        if draw.random() < 0.7:
            crew.die_reading(draw.randrange(division), now)
            crew.hire(division)
        crew.settle(now)
        if draw.random() < 0.6:
            crew.flush(draw.randrange(division), now, everything=True)
        if draw.random() < 0.3:
            crew.kill(draw.randrange(division))
            crew.hire(division)
        assert _believed(crew.dsn) == _believed_of(immortal.store)
    crew.settle(LATER)
    check(crew.dsn, seen)


def test_what_the_clock_told_before_a_restart_is_neither_taken_back_nor_told_again(
    feed: Feed, crew: Crew, connection: Connection
) -> None:
    feed.device("d1", ["value"])
    with connection.transaction():
        save_rule(connection, rule_for(Threshold(metric="value", below=3), hold_for=3), "tests")
        add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))
    crew.hire(1)
    crew.settle(START)
    now = START + timedelta(minutes=3)
    feed.readings("value", [("d1", START, 0.0)])
    crew.settle(now)
    crew.flush(0, now, everything=True)
    feed.readings("value", [("d1", START + timedelta(minutes=1), 0.0)])
    crew.die_reading(0, now)
    crew.hire(1)
    crew.settle(now)
    with connection.transaction():
        told = connection.execute(b"SELECT message->>'kind' FROM outbox").fetchall()
        history = connection.execute(b"SELECT kind FROM alert_transition ORDER BY id").fetchall()
    assert told == [("firing",)]
    assert history == [("pending",), ("firing",)]


def _believed(dsn: str) -> set[Belief]:
    """Give what the last message of each alert that stands says."""
    with closing(connect(dsn, autocommit=True)) as session:
        rows = session.execute(
            b"SELECT DISTINCT ON (alert_id) alert_id, message->'alert'->>'opened_at', message->'alert'->>'fired_at',"
            b" message->'alert'->>'resolved_at' FROM outbox o JOIN alert a ON a.id = o.alert_id"
            b" WHERE o.state <> 'suppressed' AND a.state <> 'retracted' ORDER BY alert_id, transition_id DESC"
        ).fetchall()
    return {(AlertId(row[0]), *row[1:]) for row in rows}


def _believed_of(store: MemoryStore) -> set[Belief]:
    standing = {alert.id for alert in store.all_alerts() if alert.state is not AlertState.RETRACTED}
    last: dict[AlertId, Any] = {identity: message["alert"] for identity, message in store.told}
    return {(i, a["opened_at"], a["fired_at"], a["resolved_at"]) for i, a in last.items() if i in standing}


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_the_division_changes_while_observations_come(town: Feed, crew: Crew) -> None:
    seen = observations(7, 30)
    cut = batches(seen, 7)
    draw = random.Random(7)  # noqa: S311  # the same each time
    for number, batch in enumerate(cut):
        division = (1, 3, 2)[number * 3 // len(cut)]
        if len(crew.hired) != division:
            # Some were slower than others, and none had the time to save.
            crew.kill_all()
            crew.hire(division)
        town.put(batch)
        for _ in range(2):
            crew.read(draw.randrange(3), LATER)
        if draw.random() < 0.4:
            crew.flush(draw.randrange(3), LATER, everything=True)
    crew.settle(LATER)
    check(crew.dsn, seen)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_a_version_is_activated_when_every_worker_has_folded_its_share(
    town: Feed, crew: Crew, connection: Connection
) -> None:
    town.readings("value", [("d1", START, 9.0), ("d2", START, 9.0)])
    crew.hire(2)

    def activated() -> bool:
        with connection.transaction():
            row = connection.execute(b"SELECT bool_and(activated_at IS NOT NULL) FROM rule_version").fetchone()
        return row == (True,)

    (_, first), (_, second) = crew.hired
    first.settle(LATER)
    assert not activated()
    # A worker that comes back does not fold its share again.
    crew.hired[0][0].close()
    crew.hired.pop(0)
    crew.hire(2)
    first = crew.hired[1][1]
    first.refresh(LATER)
    assert not first.activate(LATER)
    second.settle(LATER)
    assert activated()
    with connection.transaction():
        set_enabled(connection, RULES[0].id, enabled=False)
        set_enabled(connection, RULES[0].id, enabled=True)
    assert not activated()
    crew.settle(LATER)
    assert activated()


def test_each_worker_wakes_only_its_own_folds(feed: Feed, dsn: str, connection: Connection) -> None:
    rule = next(rule for rule in RULES if rule.hold_for)
    for number in range(1, 13):
        feed.device(f"d{number}", ["value"])
    with connection.transaction():
        save_rule(connection, rule, "tests")
    feed.readings("value", [(f"d{number}", START, 9.0) for number in range(1, 13)])
    workers = [Engineer(dsn, place=place) for place in places(3)]
    try:
        for worker in workers:
            worker.settle(START)
        for worker in workers:
            before = len(worker.final())
            worker.settle(START + timedelta(days=1))
            mine = [n for n in feed.series.values() if worker.place.holds(f"series:{n}")]
            firing = [row for row in worker.final() if row[1] == "firing"]
            assert len(firing) >= len(mine)
            assert len(worker.final()) >= before
        assert {row[0] for row in workers[0].final() if row[1] == "firing"} == {f"d{n}" for n in range(1, 13)}
    finally:
        for worker in workers:
            worker.close()


def test_a_rule_that_is_gone_is_withdrawn_by_whose_subjects_they_are(
    feed: Feed, dsn: str, connection: Connection
) -> None:
    rule = next(rule for rule in RULES if rule.id == "above")
    for number in range(1, 9):
        feed.device(f"d{number}", ["value"])
    with connection.transaction():
        save_rule(connection, rule, "tests")
    feed.readings("value", [(f"d{number}", START, 9.0) for number in range(1, 9)])
    workers = [Engineer(dsn, place=Place(number, 2)) for number in (1, 2)]
    try:
        for worker in workers:
            worker.settle(LATER)
        with connection.transaction():
            set_enabled(connection, rule.id, enabled=False)
        workers[0].settle(LATER)
        left = [row for row in workers[0].final() if row[1] == "firing"]
        assert 0 < len(left) < 8
        workers[1].settle(LATER)
        assert not [row for row in workers[0].final() if row[1] == "firing"]
    finally:
        for worker in workers:
            worker.close()
