"""Quarantined messages are taken in again: each once, as it came, whatever goes wrong in between."""

import threading
from datetime import timedelta

import pytest

from tests.integration.ingest.replay.conftest import NOW, Ingestor, ask, counts, only, reading, rows, with_sources
from veldwatch.config import Settings
from veldwatch.errors import StorageUnavailable
from veldwatch.model.quarantine import QuarantineState
from veldwatch.model.telemetry import Message
from veldwatch.storage import log, quarantine, replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.log import START


def test_a_message_that_no_source_took_is_stored_as_it_came_once_there_is_one(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    arrived = NOW + timedelta(seconds=30)
    ingestor.receive(reading(7, arrived=arrived))
    assert (only(connection).reason, only(connection).organisation, only(connection).device) == (
        "no_source",
        "demo",
        "m1",
    )
    number = ask(connection)
    mended.work()
    assert rows(connection, "SELECT observed_at, received_at, value FROM reading") == [(NOW, arrived, 7.0)]
    assert rows(connection, "SELECT received_at, messages FROM contact") == [(arrived, 1)]
    assert counts(connection, number) == (1, 1, 0, 0, 0)
    row = only(connection)
    assert (row.state, row.attempts, row.why_not) == (QuarantineState.STORED, 1, "a replay took it in already")
    assert quarantine.summary(connection) == []
    (batch,) = [batch for _, batch in log.read(connection, START, 10)]
    assert batch.readings["value"].tolist() == [7.0]


def test_thousands_are_taken_in_portions_and_asking_again_changes_nothing(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, at=NOW - timedelta(seconds=n), device=f"m{n % 50}") for n in range(2000)))
    number = ask(connection)
    mended.work()
    assert counts(connection, number) == (2000, 2000, 0, 0, 0)
    assert rows(connection, "SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading_raw") == [
        (2000, 2000)
    ]
    again = ask(connection)
    row = replays.get_replay(connection, again)
    assert (row["asked"], row["finished_at"] is not None) == (0, True)
    connection.rollback()
    mended.work()
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(2000,)]


def test_a_value_without_a_time_of_its_own_is_stored_for_each_time_that_it_came(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    arrivals = [NOW + timedelta(minutes=15 * n) for n in range(4)]
    for arrived in arrivals:
        ingestor.receive(Message("pump/7/level", b"2.5", arrived))
    row = only(connection)
    assert (row.count, row.topic_pattern) == (4, "pump/+/level")

    timeless = Ingestor(
        with_sources(
            settings,
            topic_filter="pump/+/level",
            decoder="mapping",
            options={"device": "{topic[1]}", "metrics": [{"name": "level", "value": "$"}]},
            organisation="demo",
        )
    )
    ask(connection)
    timeless.work()
    timeless.writer.close()
    assert rows(connection, "SELECT observed_at, value FROM reading ORDER BY 1") == [(at, 2.5) for at in arrivals]
    assert rows(connection, "SELECT received_at FROM contact ORDER BY 1") == [(at,) for at in arrivals]


def test_a_message_that_comes_again_while_it_is_replayed_waits_on(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1))
    ask(connection)
    (waiting,) = replays.peek(mended.writer.connection, replays.Portion(messages=9, payload_bytes=999))
    later = NOW + timedelta(hours=1)
    ingestor.receive(reading(1, arrived=later))
    with mended.writer.connection.transaction():
        replays.claim(mended.writer.connection, [waiting])
        replays.settle(mended.writer.connection, [waiting], [])
    row = only(connection)
    assert (row.state, row.count) == (QuarantineState.OPEN, 2)
    assert rows(connection, "SELECT arrivals FROM quarantine") == [([later],)]


def test_two_ingestors_share_a_replay_and_store_each_message_once(
    ingestor: Ingestor, settings: Settings, connection: Connection
) -> None:
    ingestor.receive(*(reading(n, at=NOW - timedelta(seconds=n), device=f"m{n % 50}") for n in range(3000)))
    number = ask(connection)
    workers = [Ingestor(with_sources(settings)) for _ in range(3)]
    threads = [threading.Thread(target=_patiently, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.writer.close()
    assert counts(connection, number) == (3000, 3000, 0, 0, 0)
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(3000,)]
    assert rows(connection, "SELECT sum(messages) FROM contact") == [(3000,)]
    appended = [batch for _, batch in log.read(connection, START, 1000)]
    assert sum(len(batch.readings) for batch in appended) == 3000


def _patiently(worker: Ingestor) -> None:
    """Go on as the worker does when the database refuses for a moment."""
    while True:
        try:
            worker.work()
        except StorageUnavailable:
            worker.writer.connection.rollback()
            worker.names.forget()
        else:
            return


def test_a_failure_before_the_commit_leaves_everything_waiting(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1), reading(2, device="m2"))
    number = ask(connection)
    # The last statement of all finds the server shutting down.
    connection.execute(
        b"CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS"
        b" $$ BEGIN RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'; END $$"
    )
    connection.execute(
        b"CREATE TRIGGER cut_off BEFORE UPDATE ON quarantine_replay FOR EACH ROW EXECUTE FUNCTION cut_off()"
    )
    connection.commit()
    with pytest.raises(StorageUnavailable):
        mended.replay.work(mended.writer, live=False)
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(0,)]
    assert counts(connection, number) == (2, 0, 0, 0, 0)
    connection.execute(b"DROP FUNCTION cut_off() CASCADE")
    connection.commit()
    mended.work()
    assert counts(connection, number) == (2, 2, 0, 0, 0)


def test_a_retained_message_is_replayed_and_proves_nobody_alive(
    ingestor: Ingestor, mended: Ingestor, connection: Connection
) -> None:
    ingestor.receive(reading(1)._replace(retained=True))
    ask(connection)
    mended.work()
    assert rows(connection, "SELECT count(*) FROM reading_raw") == [(1,)]
    assert rows(connection, "SELECT count(*) FROM contact") == [(0,)]
