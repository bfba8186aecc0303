"""Backups are restored, on real servers, and what was restored goes on working."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from launch import backups
from launch.cli import application
from tests import databases
from tests.conftest import NewDatabase
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.config import Settings
from veldwatch.errors import (
    ConfigurationInvalid,
    Conflict,
    NotFound,
    SchemaMismatch,
    ServiceFailed,
    StorageUnavailable,
)
from veldwatch.storage import tenants
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.doctor import Level, examine
from veldwatch.storage.migrate import check_schema, migrate
from veldwatch.storage.rollups import count_rolled_up, roll_up
from veldwatch.storage.schema_hold import check_step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COUNT = 500


@pytest.fixture
def empty(new_empty_database: NewDatabase) -> Generator[str]:
    with new_empty_database() as dsn:
        yield dsn


@pytest.fixture
def filled(connection: Connection, dsn: str) -> str:
    """Give a database that was half rolled up when it was dumped."""
    series = make_series(connection)
    write(connection, series, [(NOW + timedelta(minutes=step), float(step)) for step in range(COUNT)])
    roll_up(connection)
    write(connection, series, [(NOW + timedelta(days=40, minutes=step), 1.0) for step in range(COUNT)])
    connection.commit()
    return dsn


def contents(dsn: str) -> dict[str, int]:
    with connect(dsn) as connection:
        names = connection.execute(
            "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> ALL (%s) ORDER BY 1",
            (list(databases.OF_ONE_SERVER),),
        ).fetchall()
        return {name: connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchall()[0][0] for (name,) in names}


def test_a_restored_database_holds_every_row_and_goes_on(filled: str, empty: str, tmp_path: Path) -> None:
    path = backups.back_up(filled, tmp_path, NOW)
    assert path.name == "veldwatch-2026-03-01T12-00-00Z.dump"
    assert path.stat().st_mode & 0o077 == 0
    backups.restore(empty, path)
    assert contents(empty) == contents(filled)
    with connect(empty) as restored:
        databases.await_log(restored)
        roll_up(restored)
        assert count_rolled_up(restored) == 2 * COUNT
        write(restored, make_series(restored), [(NOW + timedelta(days=200), 2.0)])
        restored.execute("SET ROLE grafana_ro")
        assert restored.execute("SELECT count(*) FROM dashboard.device").fetchall() == [(1,)]


def test_what_was_closed_to_tenants_is_closed_after_a_restore(
    filled: str, empty: str, connection: Connection, tmp_path: Path
) -> None:
    tenants.mark_of(connection, tenants.list_tenants(connection)[0])
    before = tenants.find_open_doors(connection)
    left = tenants.close_doors(connection)  # of the one in WebAssembly a database stays open
    connection.commit()
    assert len(left) <= 1 < len(before)
    backups.restore(empty, backups.back_up(filled, tmp_path, NOW))
    with connect(empty) as restored:
        assert len(tenants.find_open_doors(restored)) == len(left)


def test_without_tenants_a_restore_closes_nothing(filled: str, empty: str, tmp_path: Path) -> None:
    backups.restore(empty, backups.back_up(filled, tmp_path, NOW))
    with connect(empty) as restored:
        assert len(tenants.find_open_doors(restored)) > 1


def test_the_log_of_another_server_is_read_from_its_beginning(
    filled: str, empty: str, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("UPDATE batch SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    connection.execute("UPDATE log_cursor SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    connection.execute("UPDATE register_change SET xid = (xid::text::bigint + 1000000000)::text::xid8")
    connection.commit()
    backups.restore(empty, backups.back_up(filled, tmp_path / "one.dump", NOW))
    assert contents(empty) == contents(filled)
    with connect(empty) as restored:
        assert restored.execute("SELECT count(*) FROM register_change").fetchone() == (0,)
        databases.await_log(restored)
        roll_up(restored)
        assert count_rolled_up(restored) == 2 * COUNT


def test_a_database_that_is_not_empty_is_left_as_it_is(filled: str, dsn: str, tmp_path: Path) -> None:
    path = backups.back_up(filled, tmp_path, NOW)
    before = contents(dsn)
    with pytest.raises(Conflict, match="has tables"):
        backups.restore(dsn, path)
    assert contents(dsn) == before


def test_a_file_that_is_cut_short_or_missing_is_refused_before_anything_is_written(
    filled: str, empty: str, tmp_path: Path
) -> None:
    whole = backups.back_up(filled, tmp_path / "whole.dump", NOW).read_bytes()
    cut = tmp_path / "cut.dump"
    rows = whole.index(b"\x01", len(whole) * 9 // 10)
    for content in (whole[:2000], whole[:rows], whole[:-1], whole[:rows] + bytes(len(whole) - rows)):
        cut.write_bytes(content)
        with pytest.raises(ServiceFailed, match="no whole dump"):
            backups.restore(empty, cut)
    with pytest.raises(NotFound):
        backups.restore(empty, tmp_path / "none.dump")
    assert contents(empty) == {}


def test_a_backup_is_read_through_before_it_takes_a_name(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    with connect(filled) as connection:
        real = backups.find_tools(connection.info.server_version // 10_000)
    dumping = tools / "pg_dump"
    # as where the last blocks of a full disk were lost
    dumping.write_text(
        f"""#!/bin/sh
{real}/pg_dump "$@" || exit
for file; do case $file in --file=*) truncate --size=-1000 "${{file#--file=}}" ;; esac; done
""",
        encoding="utf-8",
    )
    dumping.chmod(0o755)
    (tools / "pg_restore").symlink_to(real / "pg_restore")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ServiceFailed, match="no whole dump"):
        backups.back_up(filled, tmp_path / "cut.dump", NOW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bin"]


def _killing_tools(folder: Path, dsn: str, statements: float) -> Path:
    """Make tools of which `pg_restore` kills whoever called it when so much of the dump is read into the database.

    Args:
        statements: the part of the entries that is read, in their order: tables, rows, indexes, triggers and rights.
    """
    folder.mkdir()
    with connect(dsn) as connection:
        real = backups.find_tools(connection.info.server_version // 10_000)
    (folder / "pg_dump").symlink_to(real / "pg_dump")
    restoring = folder / "pg_restore"
    restoring.write_text(
        f"""#!/bin/sh
case "$*" in *--dbname=*) ;; *) exec {real}/pg_restore "$@" ;; esac
for file; do :; done
{real}/pg_restore --list "$file" | grep -v '^;' > {folder}/all
count=$(($(wc -l < {folder}/all) * {round(statements * 100)} / 100))
head -n $count {folder}/all > {folder}/some
{real}/pg_restore --use-list={folder}/some "$@"
kill -9 $PPID
""",
        encoding="utf-8",
    )
    restoring.chmod(0o755)
    return folder


@pytest.mark.parametrize("statements", [0.0, 0.7, 0.9, 1.0])
def test_a_restore_that_was_killed_is_refused_by_everybody(
    filled: str, empty: str, tmp_path: Path, statements: float
) -> None:
    path = backups.back_up(filled, tmp_path / "whole.dump", NOW)
    tools = _killing_tools(tmp_path / "bin", empty, statements)
    killed = subprocess.run(
        [sys.executable, "-m", "launch", "restore", str(path)],
        env={**os.environ, "VELDWATCH_DSN": empty, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    said = "a restore did not end: drop the database and restore again"
    with connect(empty) as left:
        for work in (migrate, check_schema):
            with pytest.raises(SchemaMismatch, match=said):
                work(left)
        with pytest.raises(SchemaMismatch):
            check_step(left)  # without a table `migration` it says that there is no schema
    for work in (backups.restore, backups.back_up):
        with pytest.raises(SchemaMismatch, match=said):
            work(empty, path, *([NOW] if work is backups.back_up else []))
    schema = [found for found in examine(Settings(dsn=empty), datetime.now(UTC)) if found.subject == "schema"]
    assert [(found.level, said in found.sentence) for found in schema] == [(Level.ERROR, True)]


def test_a_restore_that_the_server_refuses_says_that_the_database_is_to_be_dropped(
    filled: str, empty: str, tmp_path: Path
) -> None:
    path = backups.back_up(filled, tmp_path / "whole.dump", NOW)
    with connect(empty) as connection:
        connection.execute("CREATE TYPE public.organisation AS (found integer)")
    with pytest.raises(ServiceFailed, match=r"(?s)already exists.*drop the database and restore again"):
        backups.restore(empty, path)
    with connect(empty) as left, pytest.raises(SchemaMismatch, match="a restore did not end"):
        check_schema(left)


def test_a_dump_of_what_a_restore_left_unfinished_is_refused(
    filled: str, empty: str, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("CREATE TABLE restore_unfinished ()")
    connection.commit()
    tools = backups.find_tools(connection.info.server_version // 10_000)
    path = tmp_path / "by-hand.dump"
    subprocess.run([tools / "pg_dump", "--format=custom", f"--file={path}", f"--dbname={filled}"], check=True)
    with pytest.raises(ServiceFailed, match="of a database in which a restore did not end"):
        backups.restore(empty, path)
    with connect(empty) as untouched:
        assert untouched.execute("SELECT to_regclass('public.restore_unfinished')").fetchone() == (None,)


def test_a_backup_that_fails_leaves_the_one_before(filled: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.dump"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(StorageUnavailable):
        backups.back_up(make_conninfo(filled, dbname="absent"), path, NOW)
    assert path.read_text(encoding="utf-8") == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.dump"]


def test_what_another_backup_begins_meanwhile_stays(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, growing = tmp_path / "kept.dump", tmp_path / "kept.dump.part"

    def begin_another(_folder: Path) -> None:
        growing.write_text("another's")

    monkeypatch.setattr(backups, "_to_disk", begin_another)
    backups.back_up(filled, target, NOW)
    assert growing.read_text() == "another's"
    assert target.stat().st_size > 0


def test_the_command_keeps_the_newest(filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", filled)
    for day in (1, 2, 3):
        (tmp_path / f"veldwatch-2026-01-0{day}T00-00-00Z.dump").touch()
    (tmp_path / "of-somebody-else.dump").touch()
    result = CliRunner().invoke(application("backup"), ["backup", str(tmp_path), "--keep", "2"])
    assert result.exit_code == 0, result.output
    kept = sorted(entry.name for entry in tmp_path.iterdir())
    assert kept[:2] == ["of-somebody-else.dump", "veldwatch-2026-01-03T00-00-00Z.dump"]
    assert len(kept) == 3


def test_no_password_is_among_the_arguments(filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    with connect(filled) as connection:
        password = connection.info.password
        real = backups.find_tools(connection.info.server_version // 10_000)
    spy = tools / "pg_dump"
    spy.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/arguments"\nexec "{real}/pg_dump" "$@"\n', encoding="utf-8")
    spy.chmod(0o755)
    (tools / "pg_restore").symlink_to(real / "pg_restore")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    backups.back_up(filled, tmp_path / "spied.dump", NOW)
    said = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert "--format=custom" in said
    assert password
    assert password not in said


def test_a_dump_that_is_growing_is_not_dropped_and_one_that_was_cut_off_is(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, folder = tmp_path / "bin", tmp_path / "dumps"
    tools.mkdir()
    folder.mkdir()
    with connect(filled) as connection:
        real = backups.find_tools(connection.info.server_version // 10_000)
    dumping = tools / "pg_dump"
    dumping.write_text(
        f"""#!/bin/sh
case $1 in --version) exec {real}/pg_dump --version ;; esac
touch {tmp_path}/begun
while [ ! -e {tmp_path}/go ]; do sleep 0.05; done
exec {real}/pg_dump "$@"
""",
        encoding="utf-8",
    )
    dumping.chmod(0o755)
    (tools / "pg_restore").symlink_to(real / "pg_restore")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    (folder / "veldwatch-2026-02-27T01-30-00Z.dump.part").touch()
    with ThreadPoolExecutor(1) as threads:
        growing = threads.submit(backups.back_up, filled, folder, NOW)
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        backups.drop_parts(folder)
        assert [path.name for path in folder.iterdir()] == ["veldwatch-2026-03-01T12-00-00Z.dump.part"]
        with pytest.raises(ServiceFailed, match="another backup is writing"):
            backups.back_up(filled, folder, NOW)
        (tmp_path / "go").touch()
        assert growing.result(timeout=60).stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir()] == ["veldwatch-2026-03-01T12-00-00Z.dump"]


def _tools(folder: Path, version: int) -> Path:
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}.1'\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def test_tools_older_than_the_server_are_named() -> None:
    with pytest.raises(ConfigurationInvalid, match=r"expected from 99 on: install postgresql-client-99"):
        backups.find_tools(99)


@pytest.mark.parametrize("server", [15, 16])
def test_tools_whose_backups_the_server_could_not_take_in_again_are_not_used(server: int, tmp_path: Path) -> None:
    newer = _tools(tmp_path / "newer", 18)
    with pytest.raises(ConfigurationInvalid, match=f"expected from {server} to 16: install postgresql-client-{server}"):
        backups.find_tools(server, [newer])
    assert backups.find_tools(server, [newer, _tools(tmp_path / "fitting", 16)]).name == "fitting"


def test_tools_of_the_servers_own_version_go_before_newer_ones(tmp_path: Path) -> None:
    newer, own = _tools(tmp_path / "newer", 18), _tools(tmp_path / "own", 17)
    assert backups.find_tools(17, [newer, own]) == own
    assert backups.find_tools(17, [newer]) == newer
    assert backups.find_tools(18, [own, newer]) == newer
