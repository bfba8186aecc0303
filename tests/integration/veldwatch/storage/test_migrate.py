"""Migrations: applied once, by one program at a time, and never over a file that changed."""

import threading
from collections.abc import Generator

import pytest

from tests import databases
from veldwatch.errors import SchemaMismatch
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.editions import Edition
from veldwatch.storage.log import LogBatch, LogCursor
from veldwatch.storage.migrate import MigrationReport, check_schema, migrate, migrations

plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


@pytest.fixture
def empty_dsn(server_dsn: str) -> Generator[str]:
    with databases.empty(server_dsn) as address:
        yield address


def test_a_second_migration_changes_nothing(connection: Connection) -> None:
    report = migrate(connection)
    assert report.applied == ()
    assert report.already == len(migrations(report.server.edition))
    assert check_schema(connection) == report.server


def test_an_empty_database_is_told_to_be_migrated(empty_dsn: str) -> None:
    with connect(empty_dsn) as connection, pytest.raises(SchemaMismatch, match="run `veldwatch migrate`"):
        check_schema(connection)


def test_two_programs_that_migrate_at_once_apply_each_step_once(empty_dsn: str) -> None:
    reports: list[MigrationReport] = []
    gate = threading.Barrier(3)

    def work() -> None:
        with connect(empty_dsn) as connection:
            gate.wait()
            reports.append(migrate(connection))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    steps = len(migrations(Edition.PLAIN))
    assert sorted(len(report.applied) for report in reports) == [0, 0, steps]


@plain
def test_dashboards_may_read_views_whoever_made_them(connection: Connection) -> None:
    connection.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA dashboard REVOKE SELECT ON TABLES FROM grafana_ro, grafana_tenant"
    )
    connection.execute("CREATE VIEW dashboard.another AS SELECT 1 AS one")
    readable = "SELECT has_table_privilege(r, 'dashboard.another', 'SELECT') FROM unnest(%s::text[]) r"
    readers = (["grafana_ro", "grafana_tenant"],)
    assert connection.execute(readable, readers).fetchall() == [(False,), (False,)]
    # A step that may be taken twice, as if it were missing.
    connection.execute("DELETE FROM migration WHERE name = 'bucket'")
    assert [step.split()[1] for step in migrate(connection).applied] == ["bucket"]
    assert connection.execute(readable, readers).fetchall() == [(True,), (True,)]


@plain
def test_a_step_that_changed_since_it_was_applied_is_refused(connection: Connection) -> None:
    connection.execute("UPDATE migration SET digest = 'other' WHERE number = 2")
    with pytest.raises(SchemaMismatch, match=r"\[2\] differ"):
        migrate(connection)


@plain
def test_a_database_of_a_newer_program_is_refused(connection: Connection) -> None:
    connection.execute("INSERT INTO migration (number, name, digest, edition) VALUES (9999, 'new', 'x', 'postgresql')")
    with pytest.raises(SchemaMismatch, match="9999"):
        check_schema(connection)


@plain
def test_a_database_keeps_the_edition_that_it_began_as(connection: Connection) -> None:
    connection.execute("UPDATE migration SET edition = 'timescaledb-apache'")
    with pytest.raises(SchemaMismatch, match="differ"):
        check_schema(connection)


@plain
def test_a_log_out_of_another_servers_dump_is_read_again_from_its_beginning(connection: Connection) -> None:
    log.append(connection, LogBatch())
    log.save_cursor(connection, "rules", LogCursor(10**12, 1))
    connection.execute("UPDATE batch SET xid = '999999999999'::xid8")
    connection.commit()
    assert log.read(connection, log.START, 10) == []
    migrate(connection)
    cursor = log.load_cursor(connection, "rules")
    assert cursor is not None
    assert cursor == log.START
    log.append(connection, LogBatch())
    connection.commit()
    databases.await_log(connection)
    assert [entry.id for entry, _ in log.read(connection, cursor, 10)] == [1, 2]
    assert not log.rebase(connection)


def test_each_edition_has_every_step() -> None:
    listed = [[(step.number, step.name) for step in migrations(edition)] for edition in Edition]
    assert listed[0] == listed[1] == listed[2]
    numbers = [number for number, _ in listed[0]]
    assert numbers == sorted(set(numbers))
