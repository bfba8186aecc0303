"""Conditions on events, on the real database: order does not matter, back-tests agree, and each alert says why."""

import random
from datetime import timedelta
from uuid import UUID

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.conditions.span import Happening
from rules.postgres_store import PostgresStore
from tests.integration.rules.feed import Engineer, Feed
from tests.unit.rules.test_any_order import EVENT_RULES, Stored, in_order, unique
from tests.unit.rules.worlds import LATER, START, minute
from veldwatch.storage.alert_evidence import tell_evidence
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import version_id

_TOLD = (
    ("tamper", '{"cover":"opened"}'),
    ("tamper", '{"cover":"closed"}'),
    ("tamper", '{"by":2.0,"cover":"opened"}'),
    ("power", "{}"),
    ("power", '{"phase":1}'),
    ("other", "{}"),
)


def happenings(seed: int) -> list[Stored]:
    draw = random.Random(seed)  # noqa: S311  # the same each time
    made = [(draw.choice([1, 2]), Happening(minute(draw.randrange(90)), (draw.choice(_TOLD),))) for _ in range(80)]
    return unique(made)


def test_any_order_leaves_the_alerts_of_the_right_order_and_a_back_test_finds_the_same(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    for name in ("d1", "d2"):
        feed.device(name)
    with connection.transaction():
        for rule in EVENT_RULES:
            save_rule(connection, rule, "tests")
    engineer.settle(START)
    seen = happenings(3)
    random.Random(5).shuffle(seen)  # noqa: S311
    for begin in range(0, len(seen), 9):
        part = [(f"d{device}", "", told) for device, told in seen[begin : begin + 9]]
        feed.put([*part, *part[:2]])
        engineer.settle(LATER)
        if begin % 4 == 0:
            engineer.restart()
    expected = {
        (f"d{subject.partition(':')[2]}", state, opened, fired, resolved)
        for _, subject, state, opened, fired, resolved, _ in in_order(EVENT_RULES, seen).final()
    }
    assert len(expected) > 8
    assert engineer.final() == expected
    _check_back_test(engineer)
    _check_evidence(engineer.connection)


def _check_back_test(engineer: Engineer) -> None:
    engineer.rounds.flush(LATER, everything=True)
    stretch = Stretch(since=START - timedelta(minutes=1), until=LATER)
    store = PostgresStore(connection=engineer.connection, until=stretch.until)
    for rule in EVENT_RULES:
        recorded = engineer.connection.execute(
            b"SELECT id, evidence FROM alert"
            b" WHERE rule_version_id = %s AND state <> 'retracted' AND fired_at IS NOT NULL",
            (version_id(rule),),
        ).fetchall()
        found = {finding.alert.id: finding for finding in run_backtest(store, rule, stretch).findings}
        assert found.keys() == {identity for identity, _ in recorded}
        assert all(found[identity].document()["evidence"] == evidence for identity, evidence in recorded)


def _check_evidence(connection: Connection) -> None:
    rows: list[tuple[UUID]] = connection.execute(b"SELECT id FROM alert WHERE state = 'resolved'").fetchall()
    for (identity,) in rows:
        why = tell_evidence(connection, None, identity, LATER)
        rests = [(event["observed_at"], event["kind"]) for event in why["observations"]["events"]]
        around = [(event["observed_at"].isoformat(), event["kind"]) for event in why["events"]]
        assert rests
        assert set(rests) <= set(around)
        assert all(kind in ("tamper", "power") for _, kind in around)
