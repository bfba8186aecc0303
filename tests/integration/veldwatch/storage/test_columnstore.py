"""What comes late reaches figures that were compressed long ago, however many, and opens no others."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage import corrections, maintenance
from veldwatch.storage.connection import Connection
from veldwatch.storage.corrections import Grounds, SeriesName

pytestmark = pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)

OLD = datetime(2025, 1, 7, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BY = Grounds(author="eve", method="estimate", reason="the logger was away")
SETTING = "timescaledb.max_tuples_decompressed_per_dml_transaction"
OPEN = "SELECT DISTINCT series_id FROM ONLY {} ORDER BY 1"


@pytest.fixture(autouse=True)
def low_limit(connection: Connection) -> None:
    """Let a transaction open ten rows, as if there were ten thousand times as many."""
    connection.execute(f"SET {SETTING} = 10".encode())
    connection.commit()


def _compressed(connection: Connection, *, kind: str = "gauge") -> tuple[SeriesId, SeriesId]:
    """Write two days of hours into two series, roll them up and compress what was made of them."""
    first, second = make_series(connection, "m-1"), make_series(connection, "m-2")
    connection.execute("UPDATE series SET kind = %s", (kind,))
    connection.commit()
    for series in (first, second):
        write(connection, series, [(OLD + n * HOUR, float(n)) for n in range(48)])
    maintenance.run_once(connection, NOW)
    for table in ("reading_hourly_rollup", "consumption_hourly_rollup"):
        connection.execute("SELECT compress_chunk(c) FROM show_chunks(%s::text::regclass) c", (table,))
    connection.commit()
    return first, second


def _opened(connection: Connection, table: str) -> set[int]:
    """Tell whose rows lie uncompressed in compressed chunks."""
    chunks = connection.execute("SELECT c::text FROM show_chunks(%s::text::regclass) c", (table,)).fetchall()
    return {series for (chunk,) in chunks for (series,) in connection.execute(OPEN.format(chunk).encode()).fetchall()}


def test_a_late_reading_renews_its_compressed_hour(connection: Connection) -> None:
    first, _ = _compressed(connection)
    write(connection, first, [(OLD + 5 * HOUR + timedelta(minutes=1), 99.0)])
    maintenance.run_once(connection, NOW)
    assert _opened(connection, "reading_hourly_rollup") == {first}
    row = connection.execute("SELECT count(*), max(maximum) FROM reading_hourly WHERE series_id = %s", (first,))
    assert row.fetchone() == (48, 99)


def test_a_register_is_judged_again_over_compressed_hours(connection: Connection) -> None:
    first, _ = _compressed(connection, kind="counter")
    assert _opened(connection, "consumption_hourly_rollup") == set()
    write(connection, first, [(OLD - 5 * HOUR, -10.0)])
    maintenance.run_once(connection, NOW)
    assert _opened(connection, "consumption_hourly_rollup") == {first}
    row = connection.execute("SELECT sum(amount) FROM consumption_hourly WHERE series_id = %s", (first,))
    assert row.fetchone() == (57,)


def test_an_estimate_that_is_withdrawn_leaves_its_compressed_hour_and_opens_its_own_series_alone(
    connection: Connection,
) -> None:
    first, second = make_series(connection, "m-1"), make_series(connection, "m-2")
    for series in (first, second):
        write(connection, series, [(OLD, 1.0)])
    found = corrections.find_series(connection, None, SeriesName(series_id=first))
    corrections.add_corrections(connection, found, {OLD + 3 * HOUR: 7.0}, BY, NOW)
    connection.commit()
    maintenance.run_once(connection, NOW)
    connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading_hourly_rollup') c")
    connection.commit()
    corrections.withdraw_corrections(connection, found, [OLD + 3 * HOUR], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert _opened(connection, "reading_hourly_rollup") == {first}
    rows = connection.execute("SELECT series_id, bucket FROM reading_hourly ORDER BY 1").fetchall()
    assert rows == [(first, OLD), (second, OLD)]


def test_a_register_s_estimate_that_is_withdrawn_opens_its_own_hours_alone(connection: Connection) -> None:
    first, second = _compressed(connection, kind="counter")
    found = corrections.find_series(connection, None, SeriesName(series_id=first))
    corrections.add_corrections(connection, found, {OLD + 50 * HOUR: 60.0}, BY, NOW)
    connection.commit()
    maintenance.run_once(connection, NOW)
    connection.execute("SELECT compress_chunk(c) FROM show_chunks('consumption_hourly_rollup') c")
    connection.commit()
    corrections.withdraw_corrections(connection, found, [OLD + 50 * HOUR], BY)
    connection.commit()
    maintenance.run_once(connection, NOW)
    assert second not in _opened(connection, "consumption_hourly_rollup")
    rows = connection.execute("SELECT series_id, sum(amount) FROM consumption_hourly GROUP BY 1 ORDER BY 1").fetchall()
    assert rows == [(first, 47), (second, 47)]
