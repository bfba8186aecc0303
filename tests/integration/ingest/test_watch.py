"""Ingest says when it listens, and falls silent with the broker."""

import time
from datetime import UTC, datetime, timedelta

from launch.embedded_broker import EmbeddedBroker
from tests.integration.ingest.conftest import eventually, publishing, running
from veldwatch.config import Settings
from veldwatch.storage import watch
from veldwatch.storage.connection import Connection
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings


def spans(connection: Connection) -> list[watch.WatchedSpan]:
    found = watch.spans(connection)
    connection.rollback()
    return found


def age(connection: Connection, by: timedelta) -> None:
    """Let all that was stored of the watch be older."""
    connection.execute("UPDATE watch SET began_at = began_at - %s, seen_at = seen_at - %s", (by, by))
    connection.commit()


def test_it_listens_from_the_connection_on_though_nothing_comes(live: Settings, connection: Connection) -> None:
    with running(live):
        eventually(lambda: len(spans(connection)) == 1, 2)
        began_at, seen_at = spans(connection)[0]
        eventually(lambda: spans(connection)[0].seen_at > seen_at, 8)
    assert spans(connection)[0].began_at == began_at


def test_no_contact_is_newer_than_the_watch(live: Settings, connection: Connection) -> None:
    with running(live) as worker, publishing(live) as publisher:
        for number in range(20):
            publisher.send(topic_for("demo", "m1", "readings"), encode_readings(datetime.now(UTC), {"x": number}))
            publisher.flush()
            eventually(lambda wanted=number: worker.total.messages > wanted)
            row = connection.execute(
                "SELECT max(received_at) <= (SELECT max(seen_at) FROM watch), count(*) > 0 FROM contact"
            ).fetchone()
            connection.rollback()
            assert row == (True, True)


def test_what_the_broker_kept_comes_after_the_gap(live: Settings, connection: Connection) -> None:
    with running(live):
        eventually(lambda: len(spans(connection)) == 1, 2)
    age(connection, timedelta(minutes=5))
    with publishing(live) as publisher:
        publisher.send(topic_for("demo", "m1", "readings"), encode_readings(datetime.now(UTC), {"x": 1}))
        publisher.flush()
    with running(live) as worker:
        eventually(lambda: worker.total.messages == 1)
        eventually(lambda: len(spans(connection)) == 2, 2)
    before, after = spans(connection)
    assert after.began_at - before.seen_at > timedelta(minutes=4)
    row = connection.execute("SELECT min(received_at) FROM contact").fetchone()
    assert row is not None
    assert row[0] > before.seen_at


def test_while_the_broker_is_away_nobody_listens(
    live: Settings, connection: Connection, broker: EmbeddedBroker
) -> None:
    with running(live) as worker:
        eventually(lambda: len(spans(connection)) == 1, 2)
        broker.stop()
        eventually(lambda: not worker.subscriber.connected.is_set())
        seen_at = spans(connection)[0].seen_at
        time.sleep(6)
        assert spans(connection)[0].seen_at == seen_at
        broker.start()
        eventually(lambda: spans(connection)[0].seen_at > seen_at, 15)
