"""`veldwatch export`: histories out into files that `veldwatch import` reads again."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated

import typer

from api.exports.gpx import write_gpx
from api.exports.movebank import write_movebank
from api.exports.readings import write_csv, write_parquet
from veldwatch.command_line import moment_of
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.storage.connection import Connection
from veldwatch.storage.exports import ExportFilter, check_named, exporting

export_app = typer.Typer(help="Write histories into files, which `veldwatch import` reads again.", no_args_is_help=True)

Output = Annotated[Path, typer.Option(help="the file; - for standard output. It is whole or not there")]
Organisation = Annotated[str, typer.Option(help="slug of the one whose data is written")]
Device = Annotated[str | None, typer.Option(help="only this one")]
Metric = Annotated[str | None, typer.Option(help="only this one")]
From = Annotated[str | None, typer.Option("--from", help="first time of observation, like 2026-01-31 or with a time")]
To = Annotated[str | None, typer.Option("--to", help="first time that is not written any more")]
Write = Callable[[Connection, ExportFilter, IO[bytes]], int]


@export_app.command("csv")
def as_csv(  # typer makes an option of each
    output: Output,
    organisation: Organisation = "",
    device: Device = None,
    metric: Metric = None,
    since: From = None,
    until: To = None,
) -> None:
    """Write readings as CSV, one a row."""
    _run(write_csv, output, organisation, ExportFilter(organisation="", device=device, metric=metric), since, until)


@export_app.command("parquet")
def as_parquet(  # typer makes an option of each
    output: Output,
    organisation: Organisation = "",
    device: Device = None,
    metric: Metric = None,
    since: From = None,
    until: To = None,
) -> None:
    """Write readings as Parquet, one a row."""
    _run(write_parquet, output, organisation, ExportFilter(organisation="", device=device, metric=metric), since, until)


@export_app.command()
def movebank(
    output: Output, organisation: Organisation = "", device: Device = None, since: From = None, until: To = None
) -> None:
    """Write fixes as Movebank's CSV, with the animals that devices were on."""
    _run(write_movebank, output, organisation, ExportFilter(organisation="", device=device), since, until)


@export_app.command()
def gpx(
    output: Output, organisation: Organisation = "", device: Device = None, since: From = None, until: To = None
) -> None:
    """Write fixes as GPX, a track for each device, without the implausible ones."""
    _run(write_gpx, output, organisation, ExportFilter(organisation="", device=device), since, until)


def _run(
    write: Write, output: Path, organisation: str, which: ExportFilter, since: str | None, until: str | None
) -> None:
    settings = load_settings()
    configure_logs(settings, "export")
    which = ExportFilter(
        organisation=organisation or settings.default_organisation,
        device=which.device,
        metric=which.metric,
        since=moment_of("--from", since) if since is not None else None,
        until=moment_of("--to", until) if until is not None else None,
    )
    with exporting(settings.dsn) as connection:
        if organisation or which.device is not None:  # the default one may not have sent anything yet
            check_named(connection, which)
        count = write_whole(write, connection, which, output)
    typer.echo(f"{count} rows", err=True)


def write_whole(write: Write, connection: Connection, which: ExportFilter, output: Path) -> int:
    """Write a file beside its place and put it there when it is whole.

    Raises:
        ConfigurationInvalid: it cannot be written there.
    """
    if str(output) == "-":
        return write(connection, which, sys.stdout.buffer)
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            count = write(connection, which, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(output)
    except OSError as error:
        raise ConfigurationInvalid(f"bad --output: {str(output)!r} ({error})") from error
    finally:
        part.unlink(missing_ok=True)
    return count
