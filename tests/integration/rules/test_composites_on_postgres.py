"""Conditions on several series of a device, on the real database: order does not matter, and each says why."""

import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.conditions.span import Contact, Fix, Happening, Reading
from rules.postgres_store import PostgresStore
from tests.integration.rules.feed import Engineer, Feed
from tests.unit.rules import test_parts_in_any_order as parts
from tests.unit.rules.test_any_order import Stored, unique
from tests.unit.rules.test_composites_in_any_order import RULES, run
from tests.unit.rules.worlds import LATER, START, minute
from veldwatch.model.rule import Rule
from veldwatch.storage.alert_evidence import tell_evidence
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import version_id

# Series by the numbers that the engine in memory gives them.
_SERIES = {1: ("d1", "a"), 2: ("d1", "b"), 3: ("d2", "a"), 4: ("d2", "b")}


def readings(seed: int) -> list[Stored]:
    """Make readings of two series of two devices, each time once."""
    draw = random.Random(seed)  # noqa: S311  # the same each time
    made = [
        (draw.choice([*_SERIES]), Reading(minute(draw.randrange(60)), float(draw.randrange(10)))) for _ in range(160)
    ]
    return unique([*made])


def test_any_order_leaves_the_alerts_of_the_right_order_and_a_back_test_finds_the_same(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    for name in ("d1", "d2"):
        feed.device(name, ["a", "b"])
    with connection.transaction():
        for rule in RULES:
            save_rule(connection, rule, "tests")
    engineer.settle(START)
    seen = readings(3)
    random.Random(5).shuffle(seen)  # noqa: S311
    for begin in range(0, len(seen), 17):
        feed.put([(*_SERIES[series], reading) for series, reading in seen[begin : begin + 17]])
        engineer.settle(LATER)
    expected = {
        (f"d{subject.partition(':')[2]}", state, opened, fired, resolved)
        for _, subject, state, opened, fired, resolved, _ in run([sorted(seen, key=lambda pair: pair[1].at)]).final()
    }
    assert len(expected) > 8
    assert engineer.final() == expected
    _check_back_test(engineer, RULES)
    evidence = engineer.connection.execute(b"SELECT evidence, summary FROM alert WHERE state = 'resolved'").fetchall()
    assert all(why["samples"] and len(why["series_ids"]) == 2 for why, _ in evidence)
    assert any("a / b is above 2: " in summary for _, summary in evidence)


def test_parts_that_time_makes_or_ends_are_the_same_in_any_order_and_in_a_back_test(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    for name in ("d1", "d2"):
        feed.device(name, ["a", "b"])
    with connection.transaction():
        for rule in parts.RULES:
            save_rule(connection, rule, "tests")
    engineer.settle(START)
    seen = everything(4)
    random.Random(6).shuffle(seen)  # noqa: S311
    for number, begin in enumerate(range(0, len(seen), 23)):
        feed.put([(*_named(stored), stored[1]) for stored in seen[begin : begin + 23]])
        engineer.settle(START + timedelta(minutes=begin / 4))
        if number % 3 == 0:
            engineer.restart()
    engineer.settle(LATER)
    expected = {
        (f"d{subject.partition(':')[2]}", state, opened, fired, resolved)
        for _, subject, state, opened, fired, resolved, _ in parts.in_order(seen).final()
    }
    assert len(expected) > 8
    assert engineer.final() == expected
    _check_back_test(engineer, parts.RULES)
    rows: list[tuple[UUID]] = engineer.connection.execute(
        b"SELECT a.id FROM alert a JOIN rule_version v ON v.id = a.rule_version_id JOIN rule r ON r.id = v.rule_id"
        b" WHERE r.slug = 'either' AND a.state = 'resolved'"
    ).fetchall()
    why = [tell_evidence(engineer.connection, None, identity, LATER) for (identity,) in rows]
    assert all(each["contacts"] and each["series"] for each in why)
    assert {event["kind"] for each in why for event in each["events"]} == {"opened"}


def everything(seed: int) -> list[Stored]:
    """Make readings, contacts, fixes and events of two devices, each time once."""
    draw = random.Random(seed)  # noqa: S311  # the same each time
    made: list[Stored] = []
    for _ in range(60):
        at = minute(draw.randrange(60))
        made.append((draw.choice([*_SERIES]), Reading(at, float(draw.randrange(10)))))
        made.append((draw.choice([1, 2]), Contact(minute(draw.randrange(60)))))
        made.append((draw.choice([1, 2]), Fix(at, draw.choice([29.98, 30.005, 30.03]), -9.995)))
        made.append((draw.choice([1, 2]), Happening(at, (("opened", draw.choice(["{}", '{"by":1}'])),))))
    return parts.by_source(made[:130])


def _named(stored: Stored) -> tuple[str, str]:
    source, seen = stored
    return _SERIES[source] if isinstance(seen, Reading) else (f"d{source}", "")


def _check_back_test(engineer: Engineer, rules: Sequence[Rule]) -> None:
    engineer.rounds.flush(LATER, everything=True)
    stretch = Stretch(since=START - timedelta(minutes=1), until=LATER)
    store = PostgresStore(connection=engineer.connection, until=stretch.until)
    for rule in rules:
        recorded = engineer.connection.execute(
            b"SELECT id, opened_at, fired_at, resolved_at FROM alert"
            b" WHERE rule_version_id = %s AND state <> 'retracted' AND fired_at IS NOT NULL",
            (version_id(rule),),
        ).fetchall()
        found = {
            (f.alert.id, f.alert.opened_at, f.alert.fired_at, f.alert.resolved_at)
            for f in run_backtest(store, rule, stretch).findings
        }
        assert found == set(recorded)
