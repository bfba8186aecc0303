"""`veldwatch migrate` as it is typed: who is in its way, and what it does not write into."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from launch import backups
from tests import databases
from tests.integration.launch.command import Shell
from veldwatch.errors import ConfigurationInvalid, StorageUnavailable
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.editions import Edition
from veldwatch.storage.migrate import check_schema, migrate, migrations

LAST_OF_OLD = 52
"""The next step adds columns to what intake writes into."""

pytestmark = pytest.mark.several_backends("a migration while others hold tables, and databases of its own")


@pytest.fixture
def older(server_dsn: str) -> Generator[str]:
    """Give a database as an older version left it."""
    with databases.empty(server_dsn) as dsn:
        with connect(dsn, application="tests") as connection:
            connection.execute(
                "CREATE TABLE migration (number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,"
                " edition text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            for step in migrations(Edition.PLAIN):
                if step.number <= LAST_OF_OLD:
                    connection.execute(step.statements.encode())
                    connection.execute(
                        "INSERT INTO migration (number, name, digest, edition) VALUES (%s, %s, %s, 'postgresql')",
                        (step.number, step.name, step.digest),
                    )
        yield dsn


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def narrow(server_dsn: str, request: pytest.FixtureRequest) -> Generator[str]:
    """Give a database that does not hold every text."""
    name = sql.Identifier(f"veldwatch_narrow_{request.param.lower()}")
    create = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(create.format(name, request.param))
        yield make_conninfo(server_dsn, dbname=name.as_string(admin).strip('"'))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _waits_for_a_lock(dsn: str) -> bool:
    with connect(dsn, application="tests", autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'veldwatch-migrate'"
            " AND datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row != (0,)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _migrate(dsn: str) -> tuple[str, ...]:
    with connect(dsn, application="veldwatch-migrate") as connection:
        return migrate(connection).applied


def test_a_table_that_somebody_reads_is_waited_for_again_and_again_while_others_go_on(older: str) -> None:
    with connect(older, application="tests") as reader, ThreadPoolExecutor(1) as threads:
        reader.execute("SELECT count(*) FROM reading_raw")
        running = threads.submit(_migrate, older)
        for _ in range(2):
            _until(lambda: _waits_for_a_lock(older))
            _until(lambda: not _waits_for_a_lock(older))
            with connect(older, application="tests") as writer:
                assert writer.execute("SELECT max(number) FROM migration").fetchone() == (LAST_OF_OLD,)
                writer.execute("INSERT INTO organisation (slug, name) VALUES ('o', 'O') ON CONFLICT DO NOTHING")
        assert not running.done()
        reader.commit()
        assert len(running.result(timeout=60)) == sum(step.number > LAST_OF_OLD for step in migrations(Edition.PLAIN))
        assert reader.execute("SELECT slug FROM organisation").fetchall() == [("o",)]


def test_a_writer_that_is_in_the_middle_is_waited_for(older: str) -> None:
    with connect(older, application="tests") as writer, ThreadPoolExecutor(1) as threads:
        writer.execute("SELECT pg_advisory_xact_lock_shared(1447382084)")
        running = threads.submit(_migrate, older)
        _until(lambda: _waits_for_a_lock(older))
        writer.commit()
        assert running.result(timeout=60)


def test_one_that_waits_in_vain_says_so_and_leaves_everything_as_it_was(older: str) -> None:
    with connect(older, application="tests") as reader, connect(older, application="veldwatch-migrate") as connection:
        reader.execute("SELECT count(*) FROM reading_raw")
        with pytest.raises(StorageUnavailable, match="somebody holds a table that the migration needs"):
            migrate(connection, attempts=1)
        assert connection.execute("SELECT max(number) FROM migration").fetchone() == (LAST_OF_OLD,)


def test_a_database_that_is_not_in_utf_8_is_refused_in_words(
    shell: Shell, narrow: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", narrow)
    words = shell.refused("migrate")
    assert f"bad database {conninfo_to_dict(narrow)['dbname']!r}: its encoding is " in words
    assert "(expected UTF8: CREATE DATABASE" in words
    assert words.count("\n") == 1
    with connect(narrow, application="tests") as connection:
        assert _tables(connection) == 0
        with pytest.raises(ConfigurationInvalid, match="encoding"):
            check_schema(connection)
    dump = tmp_path / "any.dump"
    dump.touch()
    with pytest.raises(ConfigurationInvalid, match="encoding"):
        backups.restore(narrow, dump)


def _tables(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchone()
    connection.commit()
    assert row is not None
    return row[0]
