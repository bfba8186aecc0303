"""Months of plain PostgreSQL are there before their rows, also when many writers ask at once."""

import threading
from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest

from tests.integration.veldwatch.storage.telemetry import microseconds
from veldwatch.storage import partitions
from veldwatch.storage.connection import Connection, connect

pytestmark = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)

_INSERT = "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, value) VALUES (%s, 1, 0, 1)"


def _months(connection: Connection, table: str = "reading_raw") -> list[str]:
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::text::regclass ORDER BY 1", (table,)
    ).fetchall()
    return [name.removeprefix(f"{table}_") for (name,) in rows]


def test_every_month_from_first_to_last_is_made(connection: Connection) -> None:
    partitions.ensure(connection, "contact", datetime(2025, 11, 30, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert _months(connection, "contact") == ["202511", "202512", "202601", "202602"]


def test_times_that_are_far_apart_make_their_own_months_only(connection: Connection) -> None:
    times = [datetime(1980, 1, 6, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)]
    partitions.ensure_for(connection, "reading_raw", np.array([microseconds(time) for time in times]))
    assert _months(connection) == ["198001", "202602"]
    for time in times:
        connection.execute(_INSERT, (time,))


def test_a_month_begins_and_ends_in_utc_whatever_the_session_says(connection: Connection) -> None:
    connection.execute("SET timezone = 'Africa/Lusaka'")
    partitions.ensure(
        connection, "reading_raw", datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    )
    partitions.ensure(
        connection, "reading_raw", datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
    )
    assert _months(connection) == ["202601"]
    connection.execute(_INSERT, (datetime(2026, 1, 31, 23, tzinfo=UTC),))
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(_INSERT, (datetime(2026, 2, 1, tzinfo=UTC),))


def test_a_partition_has_the_key_of_its_table(connection: Connection) -> None:
    time = datetime(2026, 1, 5, tzinfo=UTC)
    partitions.ensure(connection, "reading_raw", time, time)
    connection.execute(_INSERT, (time,))
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(_INSERT, (time,))


def test_a_partition_that_was_rolled_back_is_made_again(connection: Connection) -> None:
    time = datetime(2026, 1, 5, tzinfo=UTC)
    connection.execute("SELECT 1")
    partitions.ensure(connection, "reading_raw", time, time)
    connection.rollback()
    partitions.ensure(connection, "reading_raw", time, time)
    assert _months(connection) == ["202601"]


def test_a_partition_that_was_dropped_is_made_again_once_forgotten(connection: Connection) -> None:
    time = datetime(2026, 1, 5, tzinfo=UTC)
    connection.commit()
    partitions.ensure(connection, "reading_raw", time, time)
    connection.execute("DROP TABLE reading_raw_202601")
    connection.commit()
    partitions.forget(connection)
    partitions.ensure(connection, "reading_raw", time, time)
    assert _months(connection) == ["202601"]


def test_writers_that_need_the_same_months_in_other_orders_do_not_deadlock(dsn: str) -> None:
    tables = ["reading_raw", "position_raw", "event_raw", "contact"]
    gate = threading.Barrier(4)
    finished: list[int] = []

    def work(number: int) -> None:
        with connect(dsn) as connection:
            gate.wait()
            for table in tables[:: 1 - 2 * (number % 2)]:
                for month in range(1, 13)[:: 1 - 2 * (number // 2)]:
                    connection.execute(
                        "SELECT ensure_partition(%s::text::regclass, %s)", (table, datetime(2025, month, 2, tzinfo=UTC))
                    )
        finished.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(finished) == [0, 1, 2, 3]
    with connect(dsn) as connection:
        assert [len(_months(connection, table)) for table in tables] == [12, 12, 12, 12]


def test_a_new_month_does_not_wait_for_a_writer_of_another(dsn: str) -> None:
    january, february = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)
    with connect(dsn) as writer, connect(dsn) as other:
        partitions.ensure(writer, "reading_raw", january, january)
        writer.execute(_INSERT, (january,))
        other.execute("SET lock_timeout = '2s'")
        partitions.ensure(other, "reading_raw", february, february)
        other.execute(_INSERT, (february,))
