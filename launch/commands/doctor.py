"""`veldwatch doctor`: what is there, what answers, and what to do about the rest."""

import platform
from datetime import UTC, datetime
from pathlib import Path

import typer

from launch import backups
from launch.backup_schedule import OVERDUE
from veldwatch.config import load_settings
from veldwatch.storage.connection import connect
from veldwatch.storage.doctor import Finding, Level, examine
from veldwatch.storage.health import tell_health

_COLOURS = {Level.OK: typer.colors.GREEN, Level.WARNING: typer.colors.YELLOW, Level.ERROR: typer.colors.RED}


def doctor() -> None:
    """Check database, schema, clock, log, outbox, broker and room; exit code 1 if something does not work."""
    settings = load_settings()
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}, state folder {settings.home.resolve()}")
    now = datetime.now(UTC)
    findings = examine(settings, now)
    if settings.backup_folder is not None:
        findings.append(_examine_backups(settings.backup_folder, now))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        level = typer.style(f"{finding.level.value:<7}", fg=_COLOURS[finding.level])
        typer.echo(f"  {finding.subject:<{width}}  {level}  {finding.sentence}")
    wrong = any(finding.level is Level.ERROR for finding in findings)
    if settings.dsn and not wrong:
        typer.echo(f"  {'intake':<{width}}  {_intake(settings.dsn)}")
    raise typer.Exit(1 if wrong else 0)


def _examine_backups(folder: Path, now: datetime) -> Finding:
    try:
        found, ahead = backups.newest(folder, now), backups.of_the_future(folder, now)
    except OSError as error:
        return _warning(f"cannot read {str(folder)!r}: {error.strerror}")
    if ahead:
        return _warning(f"{ahead[0].name} is of the future: look at this machine's clock, and delete the file")
    if found is None:
        return _warning(f"none in {str(folder)!r}: run `veldwatch backup`")
    hours = max((now - found.begun_at).total_seconds(), 0) / 3600
    sentence = f"the newest, {found.path.name}, is {hours:.0f} h old and takes {found.size_bytes / 2**20:.1f} MiB"
    if now - found.begun_at < OVERDUE:
        return Finding(subject="backups", level=Level.OK, sentence=sentence)
    return _warning(f"{sentence}: look why none was made since")


def _warning(sentence: str) -> Finding:
    return Finding(subject="backups", level=Level.WARNING, sentence=sentence)


def _intake(dsn: str) -> str:
    with connect(dsn, application="veldwatch-doctor") as connection:
        health = tell_health(connection, scope=None)
    return f"{health['readings_per_second']:.1f} readings/s in the last minute, last write {health['last_batch_at']}"
