"""`veldwatch backup` and `veldwatch restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from launch import backups
from launch.backup_schedule import DailyBackup, parse_time
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals


def backup(
    target: Annotated[Path, typer.Argument(help="a file, or a folder: then the file is named by the time")],
    keep: Annotated[int, typer.Option(help="of a folder, keep so many of the newest; 0: all")] = 0,
    daily: Annotated[
        str, typer.Option(metavar="HH:MM", help="stay, and write one into the folder each day at this time, UTC")
    ] = "",
) -> None:
    """Write the whole database into a file, as of one moment, while everything runs."""
    if keep < 0 or (keep and not target.is_dir()):
        raise ConfigurationInvalid(f"bad --keep: {keep} (expected a number, with a folder as target)")
    if daily:
        _stay(target, keep, daily)
        return
    now = datetime.now(UTC)
    path = backups.back_up(load_settings().dsn, target, now)
    typer.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    for old in backups.drop_old(target, keep, now) if keep else ():
        typer.echo(f"deleted {old}")


def _stay(folder: Path, keep: int, daily: str) -> None:
    if not folder.is_dir():
        raise ConfigurationInvalid(f"bad target: {str(folder)!r} (expected a folder, with --daily)")
    settings = load_settings()
    configure_logs(settings, "backup")
    work = DailyBackup(dsn=settings.dsn, folder=folder, keep=keep, at=parse_time(daily))
    stop = stop_on_signals()
    serve_metrics(settings, ready=work.is_well)
    work.run(stop)


def restore(file: Annotated[Path, typer.Argument(help="what `veldwatch backup` wrote")]) -> None:
    """Read a backup into an empty database; stop the programs before, start them after."""
    report = backups.restore(load_settings().dsn, file)
    typer.echo(f"database: {report.server}")
    for step in report.applied:
        typer.echo(f"applied {step}")
    typer.echo(f"restored from {file} ({report.already + len(report.applied)} migrations)")
