"""`veldwatch import`: files into the database, by the checks of messages, at bulk speed."""

from pathlib import Path
from typing import Annotated

import typer

from ingest.imports.csv_file import CsvReader
from ingest.imports.gpx import GpxReader
from ingest.imports.job import FileImport, Reader
from ingest.imports.mapping import EXPORTED, Mapping, value_column
from ingest.imports.movebank import MovebankReader
from ingest.imports.parquet import ParquetReader
from ingest.imports.progress import follow, sentence
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs

import_app = typer.Typer(
    help="Import files; repeating an import changes nothing, and one that was stopped goes on.", no_args_is_help=True
)

Organisation = Annotated[str, typer.Option(help="slug that the devices belong to; made where it is missing")]
Restart = Annotated[bool, typer.Option("--restart", help="begin anew, not where an earlier run stopped")]
TimeColumn = Annotated[str, typer.Option(help="ISO 8601, or numbers since 1970, s to ns")]
DeviceColumn = Annotated[str, typer.Option(help="names the device of each row")]
OneDevice = Annotated[str, typer.Option("--device", help="the device of every row")]
Values = Annotated[list[str] | None, typer.Option("--value", help="COLUMN=METRIC[:UNIT], for each column of values")]
MetricColumn = Annotated[str, typer.Option(help="long table: names the metric of each row")]
LongValue = Annotated[str, typer.Option("--value-column", help="long table: holds the value")]
UnitColumn = Annotated[str, typer.Option(help="long table: holds the unit")]
ReceivedColumn = Annotated[str, typer.Option(help="when the row arrived; without it no contact is written")]
QualityColumn = Annotated[str, typer.Option(help="flags of quality, a whole number; blank is good")]
TimeZone = Annotated[str, typer.Option(help="of times without an offset, like Africa/Nairobi")]


@import_app.command()
def movebank(
    file: Annotated[Path, typer.Argument(help="CSV as Movebank gives it; .gz and .zst too")],
    organisation: Organisation = "",
    *,
    restart: Restart = False,
) -> None:
    """Import fixes, what tags measure, animals and their tags."""
    _run(MovebankReader(file), file, organisation, restart=restart)


@import_app.command()
def gpx(
    file: Annotated[Path, typer.Argument(help="GPX 1.0 or 1.1")],
    device: Annotated[str, typer.Option(help="of every point; without it, a track's or waypoint's name")] = "",
    organisation: Organisation = "",
    *,
    restart: Restart = False,
) -> None:
    """Import tracks and waypoints as fixes."""
    _run(GpxReader(file, device), file, organisation, restart=restart)


@import_app.command("csv")
def table(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    file: Annotated[Path, typer.Argument(help="CSV with a header; .gz and .zst too")],
    time_column: TimeColumn = "",
    device_column: DeviceColumn = "",
    device: OneDevice = "",
    value: Values = None,
    metric_column: MetricColumn = "",
    value_column_: LongValue = "",
    unit_column: UnitColumn = "",
    received_column: ReceivedColumn = "",
    quality_column: QualityColumn = "",
    time_zone: TimeZone = "",
    delimiter: Annotated[str, typer.Option(help="between cells: one character")] = ",",
    organisation: Organisation = "",
    *,
    decimal_comma: Annotated[bool, typer.Option("--decimal-comma", help="values are written 12,5")] = False,
    restart: Restart = False,
) -> None:
    """Import readings of a table, wide or long; without options, one that `veldwatch export csv` wrote."""
    mapping = _mapping(
        Mapping(
            time_column=time_column,
            device_column=device_column,
            device=device,
            values=tuple(value_column(text) for text in value or []),
            metric_column=metric_column,
            value_column=value_column_,
            unit_column=unit_column,
            received_column=received_column,
            quality_column=quality_column,
            time_zone=time_zone,
            decimal_comma=decimal_comma,
        )
    )
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise ConfigurationInvalid(f"bad --delimiter: {delimiter!r} (expected one character)")
    _run(CsvReader(file, mapping, delimiter), file, organisation, restart=restart)


@import_app.command()
def parquet(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    file: Annotated[Path, typer.Argument(help="Parquet")],
    time_column: TimeColumn = "",
    device_column: DeviceColumn = "",
    device: OneDevice = "",
    value: Values = None,
    metric_column: MetricColumn = "",
    value_column_: LongValue = "",
    unit_column: UnitColumn = "",
    received_column: ReceivedColumn = "",
    quality_column: QualityColumn = "",
    time_zone: TimeZone = "",
    organisation: Organisation = "",
    *,
    restart: Restart = False,
) -> None:
    """Import readings of a table, wide or long; without options, one that `veldwatch export parquet` wrote."""
    mapping = _mapping(
        Mapping(
            time_column=time_column,
            device_column=device_column,
            device=device,
            values=tuple(value_column(text) for text in value or []),
            metric_column=metric_column,
            value_column=value_column_,
            unit_column=unit_column,
            received_column=received_column,
            quality_column=quality_column,
            time_zone=time_zone,
        )
    )
    _run(ParquetReader(file, mapping), file, organisation, restart=restart)


def _mapping(said: Mapping) -> Mapping:
    """Take what was said; nothing at all: the columns of our own exports."""
    if said == Mapping(time_column=""):
        return EXPORTED
    if not said.time_column:
        raise ConfigurationInvalid("no time (say --time-column)")
    return said


def _run(reader: Reader, file: Path, organisation: str, *, restart: bool) -> None:
    settings = load_settings()
    configure_logs(settings, "import")
    running = FileImport(settings, file, organisation or settings.default_organisation, reader, restart=restart)
    typer.echo(sentence(follow(running.run())))
