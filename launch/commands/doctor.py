"""`veldwatch doctor`: what is there, what answers, and what to do about the rest."""

import platform
from datetime import UTC, datetime

import typer

from veldwatch.config import load_settings
from veldwatch.storage.connection import connect
from veldwatch.storage.doctor import Level, examine
from veldwatch.storage.health import tell_health

_COLOURS = {Level.OK: typer.colors.GREEN, Level.WARNING: typer.colors.YELLOW, Level.ERROR: typer.colors.RED}


def doctor() -> None:
    """Check database, schema, clock, log, outbox, broker and room; exit code 1 if something does not work."""
    settings = load_settings()
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}, state folder {settings.home.resolve()}")
    findings = examine(settings, datetime.now(UTC))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        level = typer.style(f"{finding.level.value:<7}", fg=_COLOURS[finding.level])
        typer.echo(f"  {finding.subject:<{width}}  {level}  {finding.sentence}")
    wrong = any(finding.level is Level.ERROR for finding in findings)
    if settings.dsn and not wrong:
        typer.echo(f"  {'intake':<{width}}  {_intake(settings.dsn)}")
    raise typer.Exit(1 if wrong else 0)


def _intake(dsn: str) -> str:
    with connect(dsn, application="veldwatch-doctor") as connection:
        health = tell_health(connection, scope=None)
    return f"{health['readings_per_second']:.1f} readings/s in the last minute, last write {health['last_batch_at']}"
