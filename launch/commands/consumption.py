"""`veldwatch consumption`: what registers counted, as a table or CSV."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from api.csv_table import write_csv
from api.parameters import parse_instant
from veldwatch.config import load_settings
from veldwatch.errors import RequestInvalid
from veldwatch.model.consumption import code_names
from veldwatch.model.local_buckets import Interval, find_zone
from veldwatch.storage.connection import connect
from veldwatch.storage.consumption import Asked, list_consumption, list_subject_consumption
from veldwatch.storage.pool import Row
from veldwatch.storage.readings import ReadingFilter

_COLUMNS = ("bucket", "until", "device", "subject", "metric", "unit", "amount", "excess", "codes", "readings")


def consumption(  # noqa: PLR0913, PLR0917  # each is an option of the command line
    device: Annotated[str | None, typer.Option(help="the device's own identifier")] = None,
    subject: Annotated[str | None, typer.Option(help="a service point, whichever meter was on it")] = None,
    metric: Annotated[str | None, typer.Option(help="unset: every counter of the device")] = None,
    organisation: Annotated[str | None, typer.Option(help="slug")] = None,
    since: Annotated[str | None, typer.Option("--from", help="first time that counts")] = None,
    until: Annotated[str | None, typer.Option("--to", help="first time that does not")] = None,
    interval: Annotated[str, typer.Option(help="reading, hour, day or month")] = "day",
    time_zone: Annotated[str, typer.Option(help="whose hours, days and months")] = "UTC",
    as_csv: Annotated[bool, typer.Option("--csv", help="comma-separated, with a header")] = False,
) -> None:
    """Show what registers counted, never negative, with what was repaired."""
    try:
        asked = Asked(
            since=_time(since),
            until=_time(until),
            interval=None if interval == "reading" else Interval(interval),
            zone=find_zone(time_zone),
        )
    except ValueError as error:
        raise RequestInvalid(str(error)) from error
    which = ReadingFilter(organisation=organisation, device=device, metric=metric)
    with connect(load_settings().dsn, application="veldwatch-consumption") as connection:
        if subject is None:
            rows = list_consumption(connection, None, which, asked)
        elif metric is None or device is not None:
            raise RequestInvalid("a subject wants --metric beside it, and no --device")
        else:
            rows = list_subject_consumption(connection, None, subject, organisation, metric, asked)
    shown = [{**row, "codes": " ".join(code_names(row["codes"]))} for row in rows]
    if as_csv:
        write_csv(sys.stdout, _COLUMNS, shown)
        return
    for row in shown:
        typer.echo(_line(row, asked))


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _line(row: Row, asked: Asked) -> str:
    begin = row["bucket"].astimezone(asked.zone).isoformat(sep=" ", timespec="minutes")
    of = row["subject"] or row["device"]
    excess = f"  excess {row['excess']:g}" if row["excess"] else ""
    return (
        f"{begin}  {of:<20}  {row['metric']:<16}  {row['amount']:>12g} {row['unit']}{excess}  {row['codes']}".rstrip()
    )
