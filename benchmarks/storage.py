"""How many bytes a reading takes on disk: its row, its key in the index, and its share of the rollups.

Beside it, in the same run, the newest readings in two tables that anybody would make: a key and a float8 on this
server, and where the server compresses, that same table compressed, with the time of arrival as a time.
"""

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.history import END, load
from benchmarks.machine import processor
from benchmarks.result import Result
from benchmarks.servers import PLAIN, history_server
from veldwatch.storage.connection import Connection, connect

_BARE_READINGS = 2_000_000
_BARE = """
CREATE TABLE bench.bare (
    observed_at timestamptz NOT NULL, series_id integer NOT NULL, value double precision NOT NULL,
    received_at timestamptz NOT NULL, PRIMARY KEY (series_id, observed_at))
"""
_FILL_BARE = """
INSERT INTO bench.bare (observed_at, series_id, value, received_at)
SELECT observed_at, series_id, value, received_at FROM reading
WHERE observed_at >= %(since)s AND observed_at < %(until)s ORDER BY observed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageResult(Result):
    """What was measured, and where.

    Attributes:
        bytes_per_reading: of the readings' own table, its indexes and all that belongs to it.
        columns: of that, what each column takes once compressed; empty: nothing is compressed.
        rollup_bytes_per_reading: what hours and days of them take beside.
        bare_bytes_per_reading: of a keyed table with a float8 and two times.
        bare_compressed_bytes_per_reading: of the same, compressed; None: this server does not.
        kept_as_float: share of the readings that no short decimal is.
    """

    bytes_per_reading: float
    edition: str
    readings: int
    readings_stored: int
    readings_rolled_up: int
    series: int
    step_seconds: int
    columns: dict[str, float]
    rollup_bytes_per_reading: float
    bare_bytes_per_reading: float
    bare_compressed_bytes_per_reading: float | None
    bare_readings: int
    kept_as_float: float
    loading_seconds: float
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading that was loaded is stored once, and in the rollups."""
        return self.readings == self.readings_stored == self.readings_rolled_up


def measure_storage(
    *,
    readings: int = 100_000_000,
    series: int = 10_000,
    step: timedelta = timedelta(minutes=15),
    edition: str = PLAIN,
    home: Path | None = None,
    dsn: str = "",
) -> StorageResult:
    """Measure; call it from the main thread. `home`: where the history stays, and goes on from if there is one."""
    with history_server(edition, home, dsn) as server:
        started = time.perf_counter()
        loaded = load(server, readings=readings, series=series, step=step)
        seconds = time.perf_counter() - started
        with connect(server.dsn, autocommit=True, application="bench", prepare=server.prepare) as connection:
            stored, floats = _row(connection, "SELECT count(*), count(value) FROM reading_raw")
            bare, bare_compressed, bare_readings = _bare(connection, min(loaded, _BARE_READINGS) / loaded, step)
            return StorageResult(
                bytes_per_reading=round(_size(connection, "reading_raw") / loaded, 2),
                edition=server.edition,
                readings=loaded,
                readings_stored=stored,
                readings_rolled_up=int(_row(connection, "SELECT sum(count) FROM reading_daily")[0]),
                series=int(_row(connection, "SELECT count(*) FROM series")[0]),
                step_seconds=int(step.total_seconds()),
                columns={name: round(size / loaded, 3) for name, size in _columns(connection).items()},
                rollup_bytes_per_reading=round(
                    sum(_size(connection, name) for name in ("reading_hourly_rollup", "reading_daily_rollup")) / loaded,
                    2,
                ),
                bare_bytes_per_reading=round(bare / bare_readings, 2),
                bare_compressed_bytes_per_reading=(
                    None if bare_compressed is None else round(bare_compressed / bare_readings, 2)
                ),
                bare_readings=bare_readings,
                kept_as_float=round(floats / stored, 4),
                loading_seconds=round(seconds, 1),
                database=server.name,
                processor=processor(),
                cores=os.cpu_count() or 0,
            )


def _bare(connection: Connection, share: float, step: timedelta) -> tuple[int, int | None, int]:
    """Fill the other table with the newest readings; its bytes, its bytes compressed, and its readings."""
    connection.execute("DROP TABLE IF EXISTS bench.bare")
    connection.execute(_BARE.encode())
    compresses = _compresses(connection)
    if compresses:
        connection.execute(
            "SELECT create_hypertable('bench.bare', 'observed_at', chunk_time_interval => interval '7 days',"
            " create_default_indexes => false)"
        )
    (days,) = _row(
        connection, "SELECT extract(epoch FROM max(observed_at) - min(observed_at)) / 86400 FROM reading_raw"
    )
    length = max(timedelta(days=float(days)) * share, step)
    connection.execute(_FILL_BARE.encode(), {"since": END - length, "until": END})
    (readings,) = _row(connection, "SELECT count(*) FROM bench.bare")
    size = _size(connection, "bench.bare")
    compressed = None
    if compresses:
        connection.execute(
            "ALTER TABLE bench.bare SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id',"
            " timescaledb.compress_orderby = 'observed_at')"
        )
        connection.execute("SELECT compress_chunk(c) FROM show_chunks('bench.bare') c")
        compressed = _size(connection, "bench.bare")
    connection.execute("DROP TABLE bench.bare")
    return size, compressed, readings


_HYPERTABLE = "SELECT CASE WHEN to_regclass(%(table)s) IS NOT NULL THEN hypertable_size(to_regclass(%(table)s)) END"
_PARTS = """
WITH RECURSIVE part (oid) AS (
    SELECT to_regclass(%(table)s)::oid
    UNION ALL
    SELECT i.inhrelid FROM pg_inherits i JOIN part ON part.oid = i.inhparent
)
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM part WHERE oid IS NOT NULL
"""


def _size(connection: Connection, table: str) -> int:
    """Sum what a table, its partitions or chunks, their indexes and the compressed ones take; 0: there is none."""
    query = _HYPERTABLE if _has_extension(connection) else _PARTS
    row = connection.execute(query.encode(), {"table": table}).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _columns(connection: Connection) -> dict[str, int]:
    """Sum what each column takes in the compressed chunks of readings."""
    if not _compresses(connection):
        return {}
    chunks = connection.execute(
        """
        SELECT format('%I.%I', stored.schema_name, stored.table_name)
        FROM _timescaledb_catalog.hypertable h
        JOIN _timescaledb_catalog.chunk c ON c.hypertable_id = h.id
        JOIN _timescaledb_catalog.chunk stored ON stored.id = c.compressed_chunk_id
        WHERE h.table_name = 'reading_raw'
        """
    ).fetchall()
    names = ("observed_at", "delay_seconds", "quality", "divisor", "scaled", "value")
    sums = ", ".join(f"coalesce(sum(pg_column_size({name})), 0)" for name in names)
    total: dict[str, int] = dict.fromkeys(names, 0)
    for (chunk,) in chunks:
        sizes = _row(connection, f"SELECT {sums} FROM {chunk}")  # noqa: S608  # the server's own name of it, quoted
        for name, size in zip(names, sizes, strict=True):
            total[name] += int(size)
    return total


def _compresses(connection: Connection) -> bool:
    return _has_extension(connection) and str(_row(connection, "SHOW timescaledb.license")[0]) == "timescale"


def _has_extension(connection: Connection) -> bool:
    return bool(_row(connection, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")[0])


def _row(connection: Connection, query: str) -> tuple[int, ...]:
    row = connection.execute(query.encode()).fetchone()
    return () if row is None else row
