"""`veldwatch doctor`: what is there, what answers, and what to do about the rest."""

import platform
from datetime import UTC, datetime

import typer

from veldwatch.config import load_settings
from veldwatch.storage.doctor import Level, examine

_COLOURS = {Level.OK: typer.colors.GREEN, Level.WARNING: typer.colors.YELLOW, Level.ERROR: typer.colors.RED}


def doctor() -> None:
    """Look at database, schema, clock, log, outbox, broker and disk; exit code 1 if something does not work."""
    settings = load_settings()
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}, state folder {settings.home.resolve()}")
    findings = examine(settings, datetime.now(UTC))
    for finding in findings:
        level = typer.style(f"{finding.level.value:<8}", fg=_COLOURS[finding.level])
        typer.echo(f"  {level} {finding.subject:<12} {finding.sentence}")
    raise typer.Exit(1 if any(finding.level is Level.ERROR for finding in findings) else 0)
