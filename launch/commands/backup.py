"""`veldwatch backup` and `veldwatch restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from launch import backups
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid


def backup(
    target: Annotated[Path, typer.Argument(help="a file, or a folder: then the file is named by the time")],
    keep: Annotated[int, typer.Option(help="of a folder, keep so many of the newest; 0: all")] = 0,
) -> None:
    """Write the whole database into a file, as of one moment, while everything runs."""
    if keep < 0 or (keep and not target.is_dir()):
        raise ConfigurationInvalid(f"bad --keep: {keep} (expected a number, with a folder as target)")
    path = backups.back_up(load_settings().dsn, target, datetime.now(UTC))
    typer.echo(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    for old in backups.drop_old(target, keep) if keep else ():
        typer.echo(f"deleted {old}")


def restore(file: Annotated[Path, typer.Argument(help="what `veldwatch backup` wrote")]) -> None:
    """Read a backup into an empty database; stop the programs before, start them after."""
    report = backups.restore(load_settings().dsn, file)
    typer.echo(f"database: {report.server}")
    for step in report.applied:
        typer.echo(f"applied {step}")
    typer.echo(f"restored from {file} ({report.already + len(report.applied)} migrations)")
