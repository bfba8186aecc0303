"""A database that is lost and restored is the same to whoever keeps, draws or drops: on each server that can be had.

All of it on TimescaleDB where `VELDWATCH_TEST_TIMESCALE_DSN` names a server; the one in WebAssembly has one database,
which cannot be dropped: there another server takes the backup.
"""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from launch import backups
from tests import databases
from tests.conftest import NAMED_TIMESCALE, database_of
from tests.integration.veldwatch.storage.past_its_time import put
from tests.integration.veldwatch.storage.telemetry import make_series, write
from tests.timescale.server import timescale_server
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.retention import What
from veldwatch.storage.retention_sweep import sweep

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(params=["plain", *(["timescaledb-named"] if NAMED_TIMESCALE else [])])
def kept(request: pytest.FixtureRequest) -> Generator[str]:
    """Give a database with two years of readings, rolled up, and a policy."""
    with database_of(request.param, request) as dsn:
        _fill(dsn)
        yield dsn


def _fill(dsn: str) -> None:
    with connect(dsn, application="tests", prepare=False) as connection:
        for name in ("m-1", "m-2"):
            series = make_series(connection, name)
            write(connection, series, [(NOW - timedelta(days=days), days / 8) for days in range(700, 0, -7)])
        maintenance.run_once(connection, NOW)
        put(connection, 365)


@pytest.fixture
def restored(kept: str, tmp_path: Path) -> Generator[Connection]:
    """Give the database after it was backed up, dropped and restored under its name."""
    path = backups.back_up(kept, tmp_path, NOW)
    name = sql.Identifier(str(conninfo_to_dict(kept)["dbname"]))
    with psycopg.connect(make_conninfo(kept, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    assert backups.restore(kept, path).applied == ()
    with connect(kept, application="tests") as connection:
        databases.await_log(connection)
        yield connection


@pytest.fixture
def before(kept: str) -> dict[str, object]:
    with connect(kept, application="tests") as connection:
        return _contents(connection)


def _contents(connection: Connection) -> dict[str, object]:
    """Tell of each table its rows, and of the shape of the database how time divides it."""
    names = connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND c.relname <> ALL (%s) ORDER BY 1",
        (["batch", "log_cursor", *databases.OF_ONE_SERVER],),
    ).fetchall()
    found: dict[str, object] = {}
    for (name,) in names:
        query = f"SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {name} t"
        found[name] = connection.execute(query.encode()).fetchone()
    parts = "SELECT DISTINCT table_name, began, ended FROM storage_parts() ORDER BY 1, 2"
    found["parts"] = connection.execute(parts).fetchall()
    if connection.execute("SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL").fetchone() == (
        True,
    ):
        found["hypertables"] = connection.execute(
            "SELECT hypertable_name, num_chunks FROM timescaledb_information.hypertables"
            " WHERE hypertable_schema = 'public' ORDER BY 1"
        ).fetchall()
        found["jobs"] = connection.execute(
            "SELECT proc_name, hypertable_name, schedule_interval, scheduled FROM timescaledb_information.jobs"
            " WHERE hypertable_schema = 'public' ORDER BY 1, 2"
        ).fetchall()
    connection.commit()
    return found


@pytest.mark.several_backends("pg_dump and pg_restore")
def test_every_row_and_every_part_is_as_before(before: dict[str, object], restored: Connection) -> None:
    after = _contents(restored)
    assert after == before
    assert after["parts"]
    if "hypertables" in after:
        assert ("reading_raw", 100) in after["hypertables"]  # pyright: ignore[reportOperatorIssue]


@pytest.mark.several_backends("pg_dump and pg_restore")
def test_what_is_past_its_time_goes_after_a_restore(before: dict[str, object], restored: Connection) -> None:
    assert before
    maintenance.run_once(restored, NOW)
    row = restored.execute(
        "SELECT count(*), min(observed_at) > %s FROM reading", (NOW - timedelta(days=400),)
    ).fetchone()
    assert row is not None
    assert 2 * 52 <= row[0] < 2 * 57
    assert row[1]
    put(restored, 100, What.HOURLY)
    assert sweep(restored, NOW, None).postponed == 0
    assert restored.execute("SELECT count(*) FROM reading_hourly").fetchone() != (200,)


@pytest.mark.several_backends("pg_dump and pg_restore")
def test_intake_and_roll_ups_go_on_after_a_restore(before: dict[str, object], restored: Connection) -> None:
    assert before
    write(restored, make_series(restored, "m-1"), [(NOW + timedelta(days=60), 2.0), (NOW - timedelta(days=3), 3.0)])
    maintenance.run_once(restored, NOW)
    assert restored.execute("SELECT sum(count) FROM reading_hourly").fetchone() == (202,)


@pytest.mark.several_backends("pg_dump and pg_restore")
def test_grafanas_role_reads_its_views_and_nothing_else_after_a_restore(restored: Connection) -> None:
    restored.execute("SET ROLE grafana_ro")
    restored.commit()
    assert restored.execute("SELECT count(*) FROM dashboard.device").fetchone() == (2,)
    assert restored.execute("SELECT count(*) FROM dashboard.reading").fetchone() == (200,)
    with pytest.raises(errors.InsufficientPrivilege), restored.transaction():
        restored.execute("SELECT count(*) FROM public.reading_raw")
    with pytest.raises(errors.InsufficientPrivilege), restored.transaction():
        restored.execute("DELETE FROM public.device")


def test_what_is_compressed_is_restored_as_it_was_on_the_community_edition(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with database_of("timescaledb-community", request) as dsn, timescale_server() as fresh:
        _fill(dsn)
        with connect(dsn, application="tests", prepare=False) as connection:
            connection.execute("SELECT compress_chunk(c) FROM show_chunks('reading_raw', older_than => %s) c", (NOW,))
            before = _contents(connection)
        path = backups.back_up(dsn, tmp_path, NOW)
        assert backups.restore(fresh, path).applied == ()
        with connect(fresh, application="tests", prepare=False) as connection:
            assert connection.execute("SHOW timescaledb.restoring").fetchone() == ("off",)
            after = _contents(connection)
            assert after == before
            assert after["jobs"]
            compressed = "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"
            assert connection.execute(compressed).fetchone() == (100,)
            maintenance.run_once(connection, NOW)
            assert connection.execute("SELECT count(*) FROM reading").fetchone() == (104,)
            connection.execute("SET ROLE grafana_ro")
            assert connection.execute("SELECT count(*) FROM dashboard.reading").fetchone() == (104,)
