"""`veldwatch import`: files into the database, by the checks and the write path of messages."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ingest.csv_table import CsvImport, Mapping, value_column
from ingest.files import ImportReport
from ingest.movebank import MovebankImport
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs

import_app = typer.Typer(help="Import files; repeating an import changes nothing.", no_args_is_help=True)

Organisation = Annotated[str, typer.Option(help="slug that the devices belong to; made where it is missing")]


@import_app.command()
def movebank(
    file: Annotated[Path, typer.Argument(help="CSV as Movebank gives it")], organisation: Organisation = ""
) -> None:
    """Import fixes, animals and their tags."""
    settings = load_settings()
    configure_logs(settings, "import")
    _tell(MovebankImport(settings, file, organisation or settings.default_organisation).run())


@import_app.command("csv")
def table(  # noqa: PLR0913, PLR0917  # typer makes an option of each
    file: Annotated[Path, typer.Argument(help="CSV with a header")],
    time_column: Annotated[str, typer.Option(help="ISO 8601, or seconds or milliseconds since 1970")],
    device_column: Annotated[str, typer.Option(help="names the device of each row")] = "",
    device: Annotated[str, typer.Option(help="the device of every row")] = "",
    value: Annotated[list[str] | None, typer.Option(help="COLUMN=METRIC[:UNIT], for each column of values")] = None,
    metric_column: Annotated[str, typer.Option(help="long table: names the metric of each row")] = "",
    value_column_: Annotated[str, typer.Option("--value-column", help="long table: holds the value")] = "",
    unit_column: Annotated[str, typer.Option(help="long table: holds the unit")] = "",
    received_column: Annotated[str, typer.Option(help="when the row arrived; without it no contact is written")] = "",
    time_zone: Annotated[str, typer.Option(help="of times without an offset, like Africa/Nairobi")] = "",
    organisation: Organisation = "",
) -> None:
    """Import readings of a table, wide or long."""
    settings = load_settings()
    configure_logs(settings, "import")
    mapping = Mapping(
        time_column=time_column,
        device_column=device_column,
        device=device,
        values=tuple(value_column(text) for text in value or []),
        metric_column=metric_column,
        value_column=value_column_,
        unit_column=unit_column,
        received_column=received_column,
        time_zone=time_zone,
    )
    _tell(CsvImport(settings, file, organisation or settings.default_organisation, mapping).run())


def _tell(reports: Iterable[ImportReport]) -> None:
    report = ImportReport()
    for report in reports:
        typer.echo(_sentence(report), err=True)
    typer.echo(_sentence(report))


def _sentence(report: ImportReport) -> str:
    stored = report.stored
    return (
        f"{report.rows} rows: {stored.readings} new readings, {stored.positions} new fixes, "
        f"{stored.quarantined} in quarantine, {report.skipped} skipped"
    )
