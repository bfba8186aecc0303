"""What is decided while messages are on their way: by people, by late data, by a kill."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from rules.notify.delivery import Deliverer
from tests.integration.rules.notify.alerts import NOW, Alert, add, add_alert, one_incident, outbox_rows, tell
from tests.integration.rules.notify.delivering import Clock
from veldwatch.model.handling import Resolution
from veldwatch.model.notifications import Channel
from veldwatch.model.silence import Matcher, NewSilence
from veldwatch.storage import alerts, outbox
from veldwatch.storage.alerts import Deed
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.incidents import IncidentDeed, resolve_incident
from veldwatch.storage.migrate import migrate
from veldwatch.storage.outbox import Notification
from veldwatch.storage.silences import make_silence


@dataclass(slots=True)
class Wire:
    """A channel on which something happens while a message is on its way."""

    meanwhile: Callable[[Notification], None] = lambda _: None
    sent: list[Notification] = field(default_factory=list[Notification])

    def send(self, notification: Notification) -> str:
        self.sent.append(notification)
        self.meanwhile(notification)
        return "250 ok"


class Killed(BaseException):
    """The program died: the receiver has the message, and there is no receipt."""


def kill(_: Notification) -> None:
    raise Killed


def serve(connection: Connection, receiver: int, wire: Wire, clock: Clock) -> None:
    deliverer = Deliverer(senders={Channel.EMAIL: wire}, clock=clock)
    deliverer.serve(connection, receiver, threading.Event())


def serve_and_die(dsn: str, receiver: int, clock: Clock) -> Notification:
    """Send one message and die before its receipt."""
    wire = Wire(kill)
    with pytest.raises(Killed), connect(dsn, autocommit=True) as own:
        serve(own, receiver, wire, clock)
    return wire.sent[0]


def resolve(dsn: str, alert: Alert) -> None:
    with connect(dsn) as own, own.transaction():
        alerts.resolve(own, Deed(alert_id=alert.id, author="ann", scope=None, now=NOW), Resolution.FIXED)


@pytest.mark.parametrize("decided", [0, 1])
def test_a_bundle_of_which_one_was_decided_meanwhile_goes_out_without_it(
    decided: int, dsn: str, connection: Connection, delivering: Connection, clock: Clock
) -> None:
    """Somebody resolves an alert, the worst or another, while an earlier message goes out."""
    receiver = add(connection, "ops")
    earlier, *bundle = (add_alert(connection) for _ in range(4))
    one_incident(connection, *bundle)
    for alert in (earlier, *bundle):
        tell(connection, alert)

    def meanwhile(notification: Notification) -> None:
        if notification.alert_id == earlier.id:
            resolve(dsn, bundle[decided])

    wire = Wire(meanwhile)
    serve(delivering, receiver, wire, clock)
    assert [sent.message.get("grouped", {}).get("count", 1) for sent in wire.sent] == [1, 2]
    assert bundle[decided].id not in {sent.alert_id for sent in wire.sent}
    rows = outbox_rows(connection)
    assert rows.pop(1 + decided) == ("suppressed", "resolved_by_hand", 0)
    assert {state for state, _, _ in rows} == {"delivered"}


def test_a_message_that_may_have_been_received_takes_nothing_in_that_came_later(
    dsn: str, connection: Connection, delivering: Connection, clock: Clock
) -> None:
    """The program dies after it sent a message; then an alert comes that would go with it, and lead."""
    receiver = add(connection, "ops")
    first, second = add_alert(connection), add_alert(connection)
    one_incident(connection, second, first)
    tell(connection, first)
    sent = serve_and_die(dsn, receiver, clock)
    tell(connection, second)
    wire = Wire()
    serve(delivering, receiver, wire, clock)
    assert [again.alert_id for again in wire.sent] == [first.id, second.id]
    assert (wire.sent[0].id, wire.sent[0].message) == (sent.id, sent.message)
    assert "grouped" not in wire.sent[1].message


def test_who_may_have_been_told_of_an_alert_is_told_what_became_of_it(
    dsn: str, connection: Connection, delivering: Connection, clock: Clock
) -> None:
    """The program dies after it sent a message; then a person resolves the alert, and it ends."""
    receiver = add(connection, "ops")
    alert = add_alert(connection)
    tell(connection, alert)
    sent = serve_and_die(dsn, receiver, clock)
    resolve(dsn, alert)
    tell(connection, alert, "resolved")
    wire = Wire()
    serve(delivering, receiver, wire, clock)
    assert [again.kind for again in wire.sent] == ["firing", "resolved"]
    assert (wire.sent[0].id, wire.sent[0].message) == (sent.id, sent.message)


def test_a_silence_that_is_made_while_messages_go_out_is_heeded(
    dsn: str, connection: Connection, delivering: Connection, clock: Clock
) -> None:
    """Each message takes a second and a half; somebody mutes everything during the first."""
    receiver = add(connection, "ops")
    for _ in range(6):
        tell(connection, add_alert(connection))

    def meanwhile(_: Notification) -> None:
        if len(wire.sent) == 1:
            everything = NewSilence(
                matcher=Matcher(),
                reason="storm",
                starts_at=NOW,
                ends_at=NOW + timedelta(hours=4),
                everything=True,
            )
            with connect(dsn) as own, own.transaction():
                make_silence(own, everything, author="ann", scope=None, now=NOW)
        clock.now += timedelta(seconds=1.5)

    wire = Wire(meanwhile)
    serve(delivering, receiver, wire, clock)
    assert len(wire.sent) == 2
    assert outbox_rows(connection) == [("delivered", None, 1)] * 2 + [("pending", "silenced", 0)] * 4


def move(connection: Connection, alert: Alert) -> Alert:
    """Let late data put another alert in the place of one of which news waits for a cause to be over."""
    tell(connection, alert)
    connection.execute(
        "UPDATE outbox SET reason = 'inhibited', next_attempt_at = %s WHERE alert_id = %s",
        (NOW + timedelta(hours=1), alert.id),
    )
    moved = add_alert(connection)
    connection.execute("UPDATE alert SET state = 'retracted', superseded_by = %s WHERE id = %s", (moved.id, alert.id))
    tell(connection, moved, "corrected", supersedes=alert)
    connection.commit()
    return moved


@pytest.mark.parametrize("whole_incident", [True, False])
def test_news_of_an_alert_is_kept_back_if_what_late_data_put_in_its_place_is_resolved_by_hand(
    dsn: str, connection: Connection, delivering: Connection, clock: Clock, *, whole_incident: bool
) -> None:
    receiver = add(connection, "ops")
    moved = move(connection, add_alert(connection))
    if whole_incident:
        gather_alerts(connection, [moved.id], NOW)
        incident = connection.execute("SELECT id FROM incident").fetchone()
        assert incident is not None
        deed = IncidentDeed(incident_id=incident[0], author="ann", scope=None, now=NOW)
        resolve_incident(connection, deed, Resolution.FIXED)
        connection.commit()
    else:
        resolve(dsn, moved)
    clock.now += timedelta(hours=2)
    wire = Wire()
    serve(delivering, receiver, wire, clock)
    assert wire.sent == []
    assert outbox_rows(connection) == [("suppressed", "resolved_by_hand", 0), ("suppressed", "not_told", 0)]


def test_news_of_an_alert_is_looked_at_again_when_the_cause_of_what_is_in_its_place_is_over(
    connection: Connection, delivering: Connection
) -> None:
    receiver = add(connection, "ops")
    moved = move(connection, add_alert(connection))
    assert outbox.due_receivers(delivering, NOW, 10) == []
    outbox.release(connection, [moved.id], NOW)
    connection.commit()
    assert outbox.due_receivers(delivering, NOW, 10) == [receiver]


def test_news_of_an_alert_that_another_was_split_from_is_its_own(
    dsn: str, connection: Connection, delivering: Connection, clock: Clock
) -> None:
    """Late data made two of one: who resolves the second says nothing of the first."""
    receiver = add(connection, "ops")
    first = add_alert(connection)
    second = move(connection, first)
    connection.execute("UPDATE alert SET state = 'firing', superseded_by = NULL WHERE id = %s", (first.id,))
    connection.commit()
    resolve(dsn, second)
    clock.now += timedelta(hours=2)
    wire = Wire()
    serve(delivering, receiver, wire, clock)
    assert [sent.kind for sent in wire.sent] == ["firing", "corrected"]


def test_what_was_lost_in_a_bundle_without_its_leader_is_told_after_the_migration(
    connection: Connection, delivering: Connection, clock: Clock
) -> None:
    receiver = add(connection, "ops")
    leader, lost, whole, with_it = (add_alert(connection) for _ in range(4))
    for alert in (leader, lost, whole, with_it):
        tell(connection, alert)
    for first, second in ((leader, lost), (whole, with_it)):
        connection.execute(
            "UPDATE outbox SET grouped_in = (SELECT id FROM outbox WHERE alert_id = %s), reason = 'grouped'"
            " WHERE alert_id = %s",
            (first.id, second.id),
        )
    connection.execute("UPDATE outbox SET composed = message WHERE alert_id = %s", (whole.id,))
    connection.execute(
        "UPDATE outbox SET state = 'suppressed', reason = 'resolved_by_hand' WHERE alert_id = %s", (leader.id,)
    )
    # As if the step were missing.
    connection.execute("DELETE FROM migration WHERE name = 'notifications' AND number > 5")
    connection.execute("ALTER TABLE receiver DROP COLUMN not_before")
    connection.execute("DROP INDEX outbox_receiver, outbox_waiting, alert_superseded")
    connection.execute("CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'pending'")
    connection.commit()
    migrate(connection)
    connection.commit()
    wire = Wire()
    serve(delivering, receiver, wire, clock)
    assert {sent.alert_id for sent in wire.sent} == {lost.id, whole.id}
