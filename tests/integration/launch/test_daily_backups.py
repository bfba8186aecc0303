"""Backups by themselves, on a real server, and what is said of their age."""

import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from launch.backup_schedule import DailyBackup
from launch.backups import newest
from launch.cli import application

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def _daily(dsn: str, folder: Path, clock: Clock) -> DailyBackup:
    return DailyBackup(dsn=dsn, folder=folder, keep=2, at=time(1, 30), clock=clock)


def test_a_new_installation_is_backed_up_at_once_and_only_once(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "veldwatch-2026-02-27T01-30-00Z.dump.part").touch()
    (tmp_path / "veldwatch-2026-02-28T01-30-00Z.dump").touch()
    (tmp_path / "veldwatch-2026-02-27T01-30-00Z.dump").touch()
    stop = threading.Event()
    work = _daily(dsn, tmp_path, Clock())
    thread = threading.Thread(target=work.run, args=(stop,))
    thread.start()
    names = ["veldwatch-2026-02-28T01-30-00Z.dump", "veldwatch-2026-03-02T12-00-00Z.dump"]
    for _ in range(300):
        if sorted(path.name for path in tmp_path.iterdir()) == names:
            break
        stop.wait(0.1)
    stop.wait(0.3)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert work.is_well()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_one_that_fails_is_said_and_mended_by_the_next(dsn: str, tmp_path: Path) -> None:
    clock = Clock()
    failing = _daily(make_conninfo(dsn, dbname="absent"), tmp_path, clock)
    failing.make_one()
    assert not failing.is_well()
    assert newest(tmp_path, NOW) is None
    failing.dsn = dsn
    failing.make_one()
    assert failing.is_well()
    found = newest(tmp_path, NOW)
    assert found is not None
    assert found.begun_at == NOW
    assert found.size_bytes > 0


def test_one_that_is_overdue_is_said(dsn: str, tmp_path: Path) -> None:
    clock = Clock()
    work = _daily(dsn, tmp_path, clock)
    work.make_one()
    clock.now = NOW + timedelta(hours=25)
    assert work.is_well()
    clock.now = NOW + timedelta(hours=27)
    assert not work.is_well()


def test_one_of_the_future_ends_nothing_and_is_said(dsn: str, tmp_path: Path) -> None:
    ahead = tmp_path / "veldwatch-2036-02-07T06-28-16Z.dump"
    ahead.touch()
    work = DailyBackup(dsn=dsn, folder=tmp_path, keep=1, at=time(1, 30), clock=Clock())
    work.make_one()
    found = newest(tmp_path, NOW)
    assert found is not None
    assert found.begun_at == NOW
    assert ahead.exists()
    assert not work.is_well()
    ahead.unlink()
    assert work.is_well()


def test_a_clock_that_was_ahead_when_it_began_does_not_hide_that_none_is_made(dsn: str, tmp_path: Path) -> None:
    clock, stop = Clock(), threading.Event()
    clock.now = datetime(2036, 1, 1, tzinfo=UTC)
    work = _daily(dsn, tmp_path, clock)
    stop.set()
    work.run(stop)
    clock.now = NOW
    assert work.is_well()
    clock.now = NOW + timedelta(hours=27)
    assert not work.is_well()


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, "none in"),
        (-30, "is of the future: look at this machine's clock"),
        (3, "is 3 h old and takes 0.0 MiB"),
        (40, "look why none was made since"),
    ],
)
def test_doctor_tells_how_old_the_newest_is(
    hours: int | None, said: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hours is not None:
        begun_at = datetime.now(UTC) - timedelta(hours=hours)
        (tmp_path / begun_at.strftime("veldwatch-%Y-%m-%dT%H-%M-%SZ.dump")).touch()
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    monkeypatch.setenv("VELDWATCH_BACKUP_FOLDER", str(tmp_path))
    result = CliRunner().invoke(application("doctor"), ["doctor"])
    (line,) = [line for line in result.output.splitlines() if line.split()[0] == "backups"]
    assert said in line


def test_the_command_wants_a_folder_and_a_time(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    for target, at in ((tmp_path / "file", "01:30"), (tmp_path, "noon")):
        result = CliRunner().invoke(application("backup"), ["backup", str(target), "--daily", at])
        assert result.exit_code
        assert "bad" in str(result.exception)
