"""The log: batches come in the order of commits that can no longer be overtaken, each exactly as it was written."""

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.databases import await_log
from tests.integration.veldwatch.storage.telemetry import microseconds
from veldwatch.storage import folds, log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.log import LogBatch, LogEvent

NOON = microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC))
plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


def _batch(value: float) -> LogBatch:
    return LogBatch(readings=np.array([(1, NOON, NOON + 5, value, 0)], log.READINGS))


def _read(
    connection: Connection, after: log.LogCursor = log.START, limit: int = 10
) -> list[tuple[log.LogCursor, LogBatch]]:
    await_log(connection)
    return log.read(connection, after, limit)


def _values(batches: list[tuple[log.LogCursor, LogBatch]]) -> list[float]:
    return [float(batch.readings["value"][0]) for _, batch in batches]


def test_a_batch_comes_back_as_it_was_written(connection: Connection) -> None:
    written = LogBatch(
        readings=np.array([(1, NOON, NOON, 1.5, 4), (2**31 - 1, -1, NOON, -0.0, 0)], log.READINGS),
        positions=np.array([(3, NOON, NOON, 31.2, -10.2, np.nan, 4, np.nan, 359, 0)], log.POSITIONS),
        contacts=np.array([(3, NOON, 2, np.iinfo(np.int64).min, NOON, True)], log.CONTACTS),
        events=(LogEvent(device_id=3, observed_at=NOON, received_at=NOON, kind="tamper", attributes='{"a": "ß"}'),),
    )
    log.append(connection, written)
    connection.commit()
    [(_, found)] = _read(connection)
    assert found.readings.tobytes() == written.readings.tobytes()
    assert found.positions.tobytes() == written.positions.tobytes()
    assert found.contacts.tobytes() == written.contacts.tobytes()
    assert found.events == written.events


def test_a_consumer_goes_on_after_its_cursor(connection: Connection) -> None:
    for value in range(5):
        log.append(connection, _batch(value))
        connection.commit()
    first = _read(connection, limit=2)
    assert _values(first) == [0, 1]
    log.save_cursor(connection, "rules", first[-1][0])
    connection.commit()
    cursor = log.load_cursor(connection, "rules")
    assert cursor is not None
    assert cursor == first[-1][0]
    assert _values(_read(connection, cursor)) == [2, 3, 4]
    assert log.load_cursor(connection, "nobody") is None


def test_what_is_read_at_once_is_bounded_by_batches_and_by_rows(connection: Connection) -> None:
    for value in range(10):
        log.append(connection, _batch(value))
    connection.commit()
    await_log(connection)
    for batches, rows, expected, more in ((8, 100, 8, True), (64, 4, 4, True), (64, 100, 10, False)):
        found, is_behind = log.read_up_to(connection, log.START, batches, rows)
        assert (_values(found), is_behind) == (list(range(expected)), more)


def test_what_is_rolled_back_is_never_read(connection: Connection) -> None:
    log.append(connection, _batch(1))
    connection.rollback()
    log.append(connection, _batch(2))
    connection.commit()
    assert _values(_read(connection)) == [2]


def test_transactions_are_ordered_as_numbers(connection: Connection) -> None:
    for value, xid in ((1, "100"), (2, "99")):
        log.append(connection, _batch(value))
        connection.execute("UPDATE batch SET xid = %s::text::xid8 WHERE id = (SELECT max(id) FROM batch)", (xid,))
    connection.commit()
    assert _values(_read(connection)) == [2, 1]


@plain
def test_a_slower_transaction_is_never_skipped(dsn: str) -> None:
    with connect(dsn) as slow, connect(dsn) as fast, connect(dsn) as reader:
        log.append(slow, _batch(1))
        log.append(fast, _batch(2))
        fast.commit()
        assert log.read(reader, log.START, 10) == []
        reader.commit()
        log.append(fast, _batch(3))
        fast.commit()
        slow.commit()
        batches = _read(reader)
        assert _values(batches) == [1, 2, 3]
        assert [cursor for cursor, _ in batches] == sorted(cursor for cursor, _ in batches)


@plain
def test_a_transaction_in_another_database_of_the_server_holds_nobody_up(dsn: str, server_dsn: str) -> None:
    with connect(server_dsn) as elsewhere, connect(dsn) as slow, connect(dsn) as fast, connect(dsn) as reader:
        elsewhere.execute("SELECT pg_current_xact_id()")
        log.append(slow, _batch(1))
        log.append(fast, _batch(2))
        fast.commit()
        # Asked once more in one transaction: what is known of the server's processes is not of before.
        assert log.read(reader, log.START, 10) == []
        slow.commit()
        assert _values(log.read(reader, log.START, 10)) == [1, 2]
        late = elsewhere.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()
        assert late is not None
        assert int(late[0]) < folds.visible_before(reader)


@plain
def test_an_account_that_sees_nothing_of_others_waits_for_its_own_database_only(dsn: str, server_dsn: str) -> None:
    with connect(dsn) as reader, connect(server_dsn) as elsewhere, connect(dsn) as here:
        reader.execute("SET ROLE pg_read_all_data")
        elsewhere.execute("SELECT pg_current_xact_id()")
        log.append(here, _batch(1))
        here.commit()
        assert _values(log.read(reader, log.START, 10)) == [1]


@plain
def test_a_reader_that_writes_too_reads_nothing_past_its_own_transaction(dsn: str) -> None:
    with connect(dsn) as reader, connect(dsn) as writer:
        log.append(reader, _batch(1))
        log.append(writer, _batch(2))
        writer.commit()
        assert log.read(reader, log.START, 10) == []


@plain
def test_a_transaction_that_only_reads_holds_nobody_up(dsn: str) -> None:
    with connect(dsn) as idle, connect(dsn) as writer, connect(dsn) as reader:
        idle.execute("SELECT count(*) FROM batch")
        log.append(writer, _batch(1))
        writer.commit()
        assert _values(_read(reader)) == [1]


@plain
def test_a_commit_wakes_who_listens(dsn: str) -> None:
    with connect(dsn, autocommit=True) as listener, connect(dsn) as writer:
        listener.execute(f"LISTEN {log.CHANNEL}".encode())
        log.append(writer, _batch(1))
        assert list(listener.notifies(timeout=0.1)) == []
        writer.commit()
        [notification] = listener.notifies(timeout=5, stop_after=1)
        assert (notification.channel, notification.payload) == (log.CHANNEL, "1")
