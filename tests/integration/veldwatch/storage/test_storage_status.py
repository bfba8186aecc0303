"""What the database takes is told alike on every edition."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import Edition, identify
from veldwatch.storage.storage_status import DividedTable, StorageStatus, is_unwell, tell_storage

OLD = datetime(2025, 1, 7, tzinfo=UTC)
COUNT = 2000


def reading_table(told: StorageStatus) -> DividedTable:
    return next(table for table in told.divided if table.table_name == "reading")


@pytest.fixture
def filled(connection: Connection) -> Connection:
    series = make_series(connection)
    write(connection, series, [(OLD + timedelta(minutes=step), step / 8) for step in range(COUNT)])
    maintenance.run_once(connection, OLD)
    # A session tells the server once a second what it wrote: told after ANALYZE has counted, it is counted twice.
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.commit()
    connection.execute("ANALYZE")
    connection.commit()
    return connection


def test_readings_are_estimated_with_their_room_and_stretch(filled: Connection) -> None:
    table = reading_table(tell_storage(filled))
    assert table.rows == COUNT
    assert table.began <= OLD < table.ended
    assert table.bytes_per_row is not None
    assert 40 < table.bytes_per_row < 400
    assert table.compressed_bytes_per_row is None


def test_tables_without_time_and_the_whole_are_there(filled: Connection) -> None:
    told = tell_storage(filled)
    assert {"batch"} <= {table.table_name for table in told.whole}
    assert not {"reading_raw", "contact"} & {table.table_name for table in told.whole}
    assert told.bytes > sum(table.bytes for table in told.divided)


def test_upkeep_names_who_keeps_what(filled: Connection) -> None:
    told = tell_storage(filled)
    works = {work.work for work in told.upkeep}
    if identify(filled).edition is Edition.COMMUNITY:
        assert {"compress reading_raw", "roll up reading", "judge consumption"} <= works
    else:
        assert works == {"roll up reading", "judge consumption"}
        assert all(not work.late_by for work in told.upkeep)


def test_upkeep_that_never_ran_is_late(connection: Connection) -> None:
    write(connection, make_series(connection), [(OLD, 1.0)])
    connection.execute("UPDATE batch SET committed_at = now() - interval '5 hours'")
    connection.commit()
    late = {work.work: work for work in tell_storage(connection).upkeep if work.is_failing is None}
    assert set(late) == {"roll up reading", "judge consumption"}
    assert all(is_unwell(work) and work.last_success_at is None for work in late.values())


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_a_compressed_chunk_says_what_a_reading_takes_in_it(filled: Connection) -> None:
    filled.execute("SELECT compress_chunk(show_chunks('reading_raw'))")
    filled.commit()
    table = reading_table(tell_storage(filled))
    assert (table.compressed_parts, table.rows, table.compressed_rows) == (table.parts, COUNT, COUNT)
    assert table.compressed_bytes < table.compressed_bytes_before


def test_the_dashboards_role_may_see_it(filled: Connection) -> None:
    filled.execute("SET ROLE grafana_ro")
    for view in ("storage_part", "storage_table", "storage_upkeep"):
        assert filled.execute(f"SELECT * FROM dashboard.{view}".encode()).fetchall(), view
    filled.execute("RESET ROLE")
