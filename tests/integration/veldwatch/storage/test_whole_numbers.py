"""Readings as the tables hold them: what was given comes back bit for bit, and little of it lies on the disk."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.veldwatch.storage.telemetry import make_series, microseconds
from veldwatch.storage import log, partitions
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter, Stored

BEGIN = microseconds(datetime(2026, 1, 5, tzinfo=UTC))
STEP = 900_000_000
_FINITE = st.floats(allow_nan=False, allow_infinity=False)


def _metered(whole: int, digits: int) -> float:
    return whole / 10**digits


_METERED = st.builds(_metered, st.integers(-(2**33), 2**33), st.integers(0, 6))
AWKWARD = [-0.0, 0.0, 1e300, -1e300, 5e-324, 0.1 + 0.2, 0.3, 1 / 3, 2.0**31, 2.0**31 - 1, -(2.0**31), 0.12345, 12.34]


def _rows(series: int, values: npt.ArrayLike, first: int = BEGIN) -> npt.NDArray[np.void]:
    listed = np.asarray(values, np.float64)
    rows = np.zeros(len(listed), log.READINGS)
    rows["series_id"] = series
    rows["observed_at"] = first + STEP * np.arange(len(listed))
    rows["received_at"] = rows["observed_at"] + 3_000_000
    rows["value"] = listed
    return rows


def _store(dsn: str, *batches: npt.NDArray[np.void]) -> list[Stored]:
    writer = IntakeWriter(dsn, application="tests", prepare=False)
    try:
        found: list[Stored] = []
        for rows in batches:
            writer.make_room("reading_raw", rows["observed_at"])
            with writer.connection.transaction():
                found.append(writer.store_readings(rows))
        return found
    finally:
        writer.close()


def _values(connection: Connection, view: str = "reading") -> bytes:
    # The sign of a zero is lost in text.
    rows = connection.execute(
        f"SELECT float8send(value) FROM {view} ORDER BY series_id, observed_at".encode()
    ).fetchall()
    connection.commit()
    return np.frombuffer(b"".join(row[0] for row in rows), ">f8").astype(np.float64).tobytes()


def _compress(connection: Connection) -> None:
    connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading_raw') c")
    connection.commit()


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(_FINITE | _METERED, min_size=150, max_size=400))
def test_every_value_comes_back_bit_for_bit(dsn: str, connection: Connection, values: list[float]) -> None:
    series = make_series(connection)
    connection.execute("TRUNCATE reading_raw")
    connection.commit()
    half = len(values) // 2
    # The second time half of the keys are taken: copying fails, rows are inserted.
    first, second = _store(dsn, _rows(series, values[:half]), _rows(series, values))
    assert (len(first.new), len(second.new)) == (half, len(values) - half)
    assert len(first.conflicting) == len(second.conflicting) == 0
    assert _values(connection) == _values(connection, "dashboard.reading") == np.array(values).tobytes()


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_a_compressed_chunk_gives_every_value_back_and_takes_late_and_repeated_ones(
    dsn: str, connection: Connection
) -> None:
    series = make_series(connection)
    values = np.resize(AWKWARD, 300)
    rows = _rows(series, values)
    late, rest = rows[100:110], np.delete(rows, slice(100, 110))
    _store(dsn, rest)
    _compress(connection)
    changed = rest[:5].copy()
    changed["value"] += 1.25
    stored = _store(dsn, late, rest[:20], changed)
    assert [len(one.new) for one in stored] == [10, 0, 0]
    # 1e300 + 1.25 is 1e300.
    assert [len(one.conflicting) for one in stored] == [0, 0, 3]
    assert _values(connection) == values.tobytes()
    _compress(connection)
    assert _values(connection) == values.tobytes()


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_rows_from_before_whole_numbers_are_read_like_the_others(connection: Connection) -> None:
    series = make_series(connection)
    partitions.ensure_for(connection, "reading_raw", np.array([BEGIN]))
    connection.execute(
        "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, value) VALUES ('2026-01-05Z', %s, 0, 12.34)",
        (series,),
    )
    assert connection.execute("SELECT value FROM reading").fetchall() == [(12.34,)]


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_meters_take_a_few_bytes_a_reading_once_compressed(dsn: str, connection: Connection) -> None:
    randomness = np.random.default_rng(1)
    _store(dsn, np.concatenate([_rows(one, np.round(randomness.gamma(2, 1.5, 672), 3)) for one in range(1, 81)]))
    _compress(connection)
    row = connection.execute(
        "SELECT hypertable_size('reading_raw') / (SELECT count(*)::float8 FROM reading)"
    ).fetchone()
    assert row is not None
    # Two of them are pages that so few rows leave half empty. Kept as floats it would be 12.
    assert row[0] < 8
