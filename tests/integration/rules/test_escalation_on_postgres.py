"""A severity that rises, on the real database: kept through a restart, told to those whose minimum it meets."""

from datetime import timedelta

from rules.conditions.span import Reading
from tests.integration.rules.feed import Engineer, Feed
from tests.unit.rules.worlds import START, minute, rule_for
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.notifications import Channel
from veldwatch.model.rule import Escalation, Severity
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

STEPS = (
    Escalation(severity=Severity.MAJOR, after=timedelta(minutes=10)),
    Escalation(severity=Severity.CRITICAL, above=8),
)


def test_it_is_kept_and_told_to_those_whose_minimum_it_meets(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    feed.device("d1", ["value"])
    with connection.transaction():
        save_rule(connection, rule_for(Threshold(metric="value", above=5), escalate=STEPS), "tests")
        for slug, minimum in (("desk", "info"), ("boss", "critical")):
            receiver = NewReceiver(
                slug=slug, channel=Channel.EMAIL, address=f"{slug}@town.example", minimum_severity=minimum
            )
            add_receiver(connection, receiver)
    engineer.settle(START)
    feed.put([("d1", "value", Reading(minute(0), 6.0))])
    engineer.settle(START)
    engineer.settle(START + timedelta(minutes=11))
    for at, value in ((20, 9.0), (21, 9.5), (30, 1.0)):
        feed.put([("d1", "value", Reading(minute(at), value))])
        engineer.settle(START + timedelta(minutes=at))
    row = connection.execute(
        "SELECT severity, state, raises -> 0 ->> 'severity', raises -> 1 ->> 'severity', jsonb_array_length(raises)"
        " FROM alert"
    ).fetchone()
    assert row == ("critical", "resolved", "major", "critical", 2)
    told = connection.execute(
        "SELECT r.slug, o.message ->> 'kind', o.message #>> '{alert,severity}' FROM outbox o"
        " JOIN receiver r ON r.id = o.receiver_id ORDER BY r.slug, o.transition_id"
    ).fetchall()
    assert told == [
        ("boss", "raised", "critical"),
        ("boss", "resolved", "critical"),
        ("desk", "firing", "minor"),
        ("desk", "raised", "major"),
        ("desk", "raised", "critical"),
        ("desk", "resolved", "critical"),
    ]
