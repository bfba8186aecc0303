"""Engine, people and deliverers change the same notifications at once: none of them waits for one that waits for it."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from tests.integration.ingest.conftest import eventually
from tests.integration.rules.notify.alerts import NOW, Alert, add, add_alert, tell
from veldwatch.model.handling import Resolution
from veldwatch.model.notifications import Hold, Suppression
from veldwatch.storage import outbox, outbox_due
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.incidents import IncidentDeed, resolve_incident
from veldwatch.storage.outbox_due import Held

pytestmark = pytest.mark.several_backends("one session waits for a row that another has locked")

Change = Callable[[Connection, Sequence[Alert], Sequence[UUID]], None]
"""Changes notifications, by their alerts or by their ids; both are in the order in which they were written."""
LATER = NOW + timedelta(hours=1)


def release(connection: Connection, alerts: Sequence[Alert], _: Sequence[UUID]) -> None:
    outbox.release(connection, [alert.id for alert in alerts], NOW)


def hold(connection: Connection, _: Sequence[Alert], ids: Sequence[UUID]) -> None:
    outbox_due.hold(connection, [Held(one, Hold.INHIBITED, LATER) for one in reversed(ids)])


def suppress(connection: Connection, _: Sequence[Alert], ids: Sequence[UUID]) -> None:
    outbox_due.suppress(connection, [(one, Suppression.INHIBITED) for one in reversed(ids)], {})


def resolve(connection: Connection, _: Sequence[Alert], __: Sequence[UUID]) -> None:
    row = connection.execute("SELECT incident_id FROM alert").fetchone()
    assert row is not None
    deed = IncidentDeed(incident_id=row[0], author="ann", scope=None, now=NOW)
    resolve_incident(connection, deed, Resolution.FIXED)


@contextmanager
def working(dsn: str, change: Change, alerts: Sequence[Alert], ids: Sequence[UUID]) -> Generator[list[BaseException]]:
    """Let somebody change notifications meanwhile; gives what went wrong, once it is over."""
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            with connect(dsn, autocommit=True) as own, own.transaction():
                change(own, alerts, ids)
        except Exception as error:  # noqa: BLE001  # told to the test
            wrong.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield wrong
    thread.join()


def waiting(connection: Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("first", "second"), [(hold, release), (release, hold), (suppress, resolve), (hold, resolve)])
def test_two_that_change_the_same_notifications_wait_for_each_other_in_turn(
    first: Change, second: Change, dsn: str, connection: Connection
) -> None:
    """Both are stopped half-way by a third that has one row: each then has rows that the other still needs."""
    add(connection, "ops")
    # Rows as they lie in the table, in an order that is not that of their ids.
    alerts = [add_alert(connection) for _ in range(5)]
    for alert in alerts:
        tell(connection, alert)
    connection.execute("UPDATE outbox SET reason = 'settling', next_attempt_at = %s", (LATER,))
    gather_alerts(connection, [alert.id for alert in alerts], NOW)
    connection.execute("UPDATE alert SET incident_id = (SELECT id FROM incident LIMIT 1)")
    connection.commit()
    ids = [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY transition_id")]
    with connect(dsn) as third, connect(dsn, autocommit=True) as looking:
        third.execute("SELECT FROM outbox WHERE id = %s FOR UPDATE", (ids[2],))
        with working(dsn, first, alerts, ids) as wrong_of_first:
            eventually(lambda: waiting(looking) == 1)
            with working(dsn, second, alerts, ids) as wrong_of_second:
                eventually(lambda: waiting(looking) == 2)
                third.commit()
    assert (wrong_of_first, wrong_of_second) == ([], [])
