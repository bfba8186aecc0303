"""The engine on the real database: order does not matter, what is told is told once, a back-test equals the record."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.postgres_store import PostgresStore
from tests.integration.rules.feed import Engineer, Feed, Final
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import CONTACT_RULES, FIX_RULES, READING_RULES, in_order, unique
from tests.unit.rules.worlds import LATER, START, minute, rule_for
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind
from veldwatch.model.conditions.values import Change, RateOfChange, Threshold, ValueChange
from veldwatch.model.notifications import Channel
from veldwatch.model.rule import Rule
from veldwatch.storage.connection import Connection
from veldwatch.storage.folds import close_history
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule, set_enabled
from veldwatch.wire.rule_document import version_id

RULES = (*READING_RULES, *FIX_RULES, *CONTACT_RULES)
Put = tuple[str, str, Observation]


def observations(seed: int, count: int = 80) -> list[tuple[int, Observation]]:
    """Make readings, fixes and contacts of two devices, each time once."""
    draw = random.Random(seed)  # noqa: S311  # the same each time
    made: list[tuple[int, Observation]] = []
    for _ in range(count):
        device, at = draw.choice([1, 2]), minute(draw.randrange(90))
        made.append((device, Reading(at, float(draw.randrange(10)))))
        made.append((device, Fix(at, draw.choice([29.98, 30.0001, 30.005, 30.0055, 30.012]), -9.995)))
        made.append((device, Contact(at)))
    return [pair for kind in (Reading, Fix, Contact) for pair in unique([p for p in made if type(p[1]) is kind])]


def expected(rules: tuple[Rule, ...], seen: list[tuple[int, Observation]]) -> Final:
    store: MemoryStore = in_order(rules, seen)
    return {
        (f"d{_device(subject)}", state, opened, fired, resolved)
        for _, subject, state, opened, fired, resolved, _ in store.final()
    }


def _device(subject: str) -> str:
    return subject.partition(":")[2]


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


def batches(seen: list[tuple[int, Observation]], seed: int) -> list[list[Put]]:
    draw = random.Random(seed)  # noqa: S311  # the same each time
    named: list[Put] = [(f"d{device}", "value", one) for device, one in seen]
    draw.shuffle(named)
    cuts = sorted(draw.randrange(len(named)) for _ in range(12))
    return [named[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(named)], strict=True)]


@pytest.mark.parametrize("seed", range(2))
def test_any_order_leaves_the_alerts_of_the_right_order(town: Feed, engineer: Engineer, seed: int) -> None:
    seen = observations(seed)
    engineer.settle(LATER)
    for number, batch in enumerate(batches(seen, seed)):
        town.put(batch)
        engineer.settle(LATER)
        if number % 3 == 0:
            engineer.restart()
    assert engineer.final() == expected(RULES, seen)


def test_a_back_test_of_a_stretch_equals_the_live_record(town: Feed, engineer: Engineer) -> None:
    engineer.settle(START)
    for batch in batches(observations(5), 5):
        town.put(batch)
        engineer.settle(LATER)
    engineer.rounds.flush(LATER, everything=True)
    stretch = Stretch(since=START + timedelta(minutes=30), until=LATER)
    store = PostgresStore(connection=engineer.connection, until=stretch.until)
    for rule in RULES:
        found = {
            (f.alert.id, f.alert.state.value, f.alert.opened_at, f.alert.fired_at, f.alert.resolved_at)
            for f in run_backtest(store, rule, stretch).findings
        }
        recorded = engineer.connection.execute(
            b"SELECT id, state, opened_at, fired_at, resolved_at FROM alert"
            b" WHERE rule_version_id = %s AND state <> 'retracted' AND fired_at >= %s",
            (version_id(rule), stretch.since),
        ).fetchall()
        assert found == set(recorded)


def test_every_transition_that_is_told_is_in_the_outbox_once(town: Feed, engineer: Engineer) -> None:
    engineer.settle(START)
    town.readings("value", [("d1", START + timedelta(minutes=n), v) for n, v in enumerate([1, 9, 9, 1])])
    now = START + timedelta(minutes=4)
    engineer.settle(now)
    engineer.restart()
    engineer.settle(now)
    rows = engineer.connection.execute(
        b"SELECT o.message->>'kind', o.state, count(*) FROM outbox o JOIN alert a ON a.id = o.alert_id"
        b" JOIN rule_version v ON v.id = a.rule_version_id WHERE v.definition->>'id' = 'above' GROUP BY 1, 2"
    ).fetchall()
    assert sorted(rows) == [("firing", "pending", 1), ("resolved", "pending", 1)]


def told(connection: Connection) -> list[tuple[str, str, str | None]]:
    """Give kind, state and reason of all that is told, in order."""
    rows = connection.execute("SELECT message->>'kind', state, reason FROM outbox ORDER BY transition_id").fetchall()
    connection.commit()
    return [(kind, state, reason) for kind, state, reason in rows]


def add_rule(connection: Connection, rule: Rule) -> None:
    with connection.transaction():
        save_rule(connection, rule, "tests")
        add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))


HISTORY = [("firing", "suppressed", "history"), ("resolved", "suppressed", "history")]


def test_what_seemed_over_in_a_backlog_and_holds_still_is_told(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    """A device hands in what it kept in two messages: after the first it looks like history."""
    add_rule(connection, rule_for(Threshold(metric="value", above=5), keep_firing_for=120))
    engineer.settle(START)
    feed.device("d1", ["value"])
    now = START + timedelta(hours=10)
    feed.put([("d1", "value", Reading(minute(0), 9.0)), ("d1", "value", Reading(minute(60), 1.0))])
    engineer.settle(now)
    assert told(connection) == HISTORY
    feed.put([("d1", "value", Reading(minute(at), 9.0)) for at in range(120, 601, 60)])
    engineer.settle(now)
    assert told(connection) == [*HISTORY, ("firing", "pending", None)]
    engineer.restart()
    engineer.settle(now)
    assert told(connection) == [*HISTORY, ("firing", "pending", None)]


def test_what_a_new_rule_took_for_history_and_holds_still_is_told(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    """The gateway is behind when the rule is made."""
    feed.device("d1", ["value"])
    feed.put([("d1", "value", Reading(minute(0), 9.0)), ("d1", "value", Reading(minute(10), 1.0))])
    engineer.settle(START)
    add_rule(connection, rule_for(Threshold(metric="value", above=5), keep_firing_for=30))
    now = START + timedelta(minutes=60)
    engineer.settle(now)
    assert told(connection) == HISTORY
    feed.put([("d1", "value", Reading(minute(at), 9.0)) for at in range(20, 61, 10)])
    engineer.settle(now + timedelta(minutes=1))
    assert told(connection) == [*HISTORY, ("firing", "pending", None)]


def test_an_end_that_was_taken_back_and_is_one_after_all_is_told_again(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    """Readings come newest first after a gap: the run seems over, goes on, and was over after all."""
    run = ContinuousFlow(metric="flow", of=FlowKind.RATE, duration=timedelta(minutes=30), max_gap=timedelta(minutes=60))
    feed.device("d1", ["flow"])
    add_rule(connection, rule_for(run))
    engineer.settle(START)
    for at in range(0, 51, 10):
        feed.put([("d1", "flow", Reading(minute(at), 5.0 if at else 0.0))])
        engineer.settle(START + timedelta(minutes=at))
    engineer.settle(START + timedelta(minutes=111))
    for number, (at, value) in enumerate([(100, 5.0), (70, 0.0)], start=112):
        feed.put([("d1", "flow", Reading(minute(at), value))])
        engineer.settle(START + timedelta(minutes=number))
        engineer.restart()
    engineer.settle(START + timedelta(minutes=114))
    assert [kind for kind, _, _ in told(connection)] == ["firing", "resolved", "corrected", "resolved"]
    rows = connection.execute("SELECT at FROM alert_transition WHERE kind = 'resolved'").fetchall()
    assert rows == [(START + timedelta(minutes=50),)] * 2


@pytest.mark.parametrize("restarted", [True, False])
@pytest.mark.parametrize(
    "condition",
    [
        ValueChange(metric="value", of=Change.RANGE, window=timedelta(minutes=30), above=5),
        RateOfChange(metric="value", per=timedelta(hours=1), above=5),
    ],
)
def test_a_value_of_which_no_difference_can_be_told_stops_nothing(
    condition: ValueChange | RateOfChange, feed: Feed, engineer: Engineer, connection: Connection, *, restarted: bool
) -> None:
    """Intake takes none such; they came by another way."""
    feed.device("d1", ["value"])
    add_rule(connection, rule_for(condition))
    engineer.settle(START)
    values = (1.0, 1.7e308, -1.7e308, 1.0, 9.0)
    for at, value in enumerate(values):
        feed.put([("d1", "value", Reading(minute(at), value))])
        if restarted:
            engineer.restart()
        engineer.settle(START + timedelta(minutes=at))
    assert [(state, fired) for _, state, _, fired, _ in engineer.final()] == [("firing", START + timedelta(minutes=4))]


def test_a_rule_that_is_switched_off_and_on_again_misses_nothing(town: Feed, engineer: Engineer) -> None:
    seen = [(1, Reading(minute(n), v)) for n, v in enumerate([1.0, 9.0, 9.0, 1.0, 9.0, 1.0])]
    engineer.settle(START)
    town.put([("d1", "value", one) for _, one in seen[:2]])
    engineer.settle(LATER)
    for rule in RULES:
        set_enabled(engineer.connection, rule.id, enabled=False)
    engineer.settle(LATER)
    town.put([("d1", "value", one) for _, one in seen[2:]])
    engineer.settle(LATER)
    for rule in RULES:
        set_enabled(engineer.connection, rule.id, enabled=True)
    engineer.settle(LATER)
    assert engineer.final() == expected(RULES, [*seen])


@pytest.mark.parametrize("restarted", [True, False])
def test_history_that_is_dropped_is_never_folded_again(town: Feed, engineer: Engineer, *, restarted: bool) -> None:
    engineer.settle(START)
    values = [9.0 if n % 20 == 0 else 1.0 for n in range(600)]
    town.readings("value", [("d1", START + timedelta(minutes=n), v) for n, v in enumerate(values)])
    engineer.settle(LATER)
    before = engineer.final()
    boundary = START + timedelta(minutes=300)
    engineer.connection.execute(b"DELETE FROM reading_raw WHERE observed_at < %s", (boundary,))
    close_history(engineer.connection, boundary)
    if restarted:
        engineer.restart()
    closed, late, new = (START + timedelta(minutes=at) for at in (9.5, 599.5, 601))
    town.readings("value", [("d1", closed, 9.0), ("d1", late, 1.0), ("d1", new, 9.0)])
    engineer.settle(LATER)
    after = engineer.final()
    assert {alert for alert in before if alert[1] == "resolved"} <= after
    opened = {alert[2] for alert in after}
    assert closed not in opened
    assert new in opened


def test_a_device_in_the_log_before_the_engine_ever_ran_is_seen(town: Feed, engineer: Engineer) -> None:
    town.readings("value", [("d1", datetime(2016, 1, 1, tzinfo=UTC), 9.0)])
    engineer.settle(LATER)
    assert ("d1", "firing") in {(device, state) for device, state, *_ in engineer.final()}
