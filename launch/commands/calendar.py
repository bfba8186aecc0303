"""`veldwatch calendar import|add|change|cancel|list|files|export`: planned interruptions, which explain silence."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from veldwatch.command_line import moment_of, operator, shown
from veldwatch.config import load_settings, patience_of
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage import calendars, interruptions
from veldwatch.storage.calendars import CalendarImport
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.interruptions import Place, Planned
from veldwatch.wire.calendar_file import read_calendar, write_calendar
from veldwatch.wire.local_times import read_zone

app = typer.Typer(no_args_is_help=True, help="Planned interruptions and load shedding.")

_LARGEST_BYTES = 20_000_000
_WEEK = timedelta(days=7)

Organisation = Annotated[str, typer.Option(help="slug")]
Sites = Annotated[list[str] | None, typer.Option("--site", help="slug, with all below it; one option each")]
Devices = Annotated[list[str] | None, typer.Option("--device", help="external id, one option each")]
Kind = Annotated[str, typer.Option(help="planned or load_shedding")]


@app.command("import")
def import_(  # typer makes an option of each
    file: Annotated[Path, typer.Argument(help="iCalendar, or a schedule in JSON; -: standard input")],
    organisation: Organisation,
    name: Annotated[
        str, typer.Option(help="of the calendar; the same name brings it up to date; none: the file's")
    ] = "",
    kind: Kind = "planned",
    sites: Sites = None,
    devices: Devices = None,
    time_zone: Annotated[str, typer.Option(help="of times that name none, like Africa/Johannesburg")] = "UTC",
    *,
    complete: Annotated[
        bool, typer.Option("--complete", help="what the file does not name any more, and is to come, is called off")
    ] = False,
) -> None:
    """Import a file; events that do not say where they are, are at the sites and devices of the options."""
    settings = load_settings()
    asked = CalendarImport(
        organisation=organisation,
        slug=_slug(name or ("calendar" if str(file) == "-" else file.stem)),
        kind=kind,
        file=read_calendar(_read(file)),
        place=Place(sites=tuple(sites or ()), devices=tuple(devices or ())),
        zone=read_zone(time_zone) or UTC,
        is_complete=complete,
    )
    with _connection() as connection:
        report = calendars.import_calendar(
            connection, asked, author=operator(), scope=None, now=_now(), patience=patience_of(settings)
        )
    typer.echo(
        f"calendar {asked.slug}: {report.events} events, {report.changed} interruptions new or changed,"
        f" {report.cancelled} called off, {report.older} older than what is known;"
        f" {report.explained} alerts are explained otherwise now"
    )
    for skipped in report.skipped:
        typer.echo(f"left out {skipped.uid}: {skipped.reason}", err=True)
    raise typer.Exit(1 if report.skipped else 0)


@app.command()
def add(  # typer makes an option of each
    title: str,
    organisation: Organisation,
    since: Annotated[str, typer.Option("--from", help="ISO 8601")],
    until: Annotated[str, typer.Option("--to", help="ISO 8601")],
    sites: Sites = None,
    devices: Devices = None,
    kind: Kind = "planned",
    reason: Annotated[str, typer.Option()] = "",
) -> None:
    """Enter one interruption."""
    planned = Planned(
        organisation=organisation,
        kind=kind,
        title=title,
        begins_at=moment_of("--from", since),
        ends_at=moment_of("--to", until),
        place=Place(sites=tuple(sites or ()), devices=tuple(devices or ())),
        reason=reason,
    )
    with _connection() as connection:
        number = interruptions.add_interruption(
            connection, planned, author=operator(), scope=None, now=_now(), patience=patience_of(load_settings())
        )
    typer.echo(f"interruption {number}")


@app.command()
def change(  # typer makes an option of each
    number: Annotated[int, typer.Argument(help="as `veldwatch calendar list` shows it")],
    title: Annotated[str | None, typer.Option()] = None,
    since: Annotated[str, typer.Option("--from", help="ISO 8601")] = "",
    until: Annotated[str, typer.Option("--to", help="ISO 8601")] = "",
    sites: Sites = None,
    devices: Devices = None,
    kind: Annotated[str | None, typer.Option(help="planned or load_shedding")] = None,
    reason: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Change an interruption that somebody entered; what is not given stays, places are given all or not at all."""
    with _connection() as connection:
        row = interruptions.get_interruption(connection, None, number)
        elsewhere = Place(sites=tuple(sites or ()), devices=tuple(devices or ()))
        planned = Planned(
            organisation=row["organisation"],
            kind=kind or row["kind"],
            title=title or row["title"],
            begins_at=moment_of("--from", since) if since else row["begins_at"],
            ends_at=moment_of("--to", until) if until else row["ends_at"],
            place=elsewhere if sites or devices else Place(sites=tuple(row["sites"]), devices=tuple(row["devices"])),
            reason=row["reason"] if reason is None else reason,
        )
        interruptions.change_interruption(
            connection,
            number,
            planned,
            author=operator(),
            scope=None,
            now=_now(),
            patience=patience_of(load_settings()),
        )
    typer.echo(f"interruption {number} from {shown(planned.begins_at)} to {shown(planned.ends_at)}")


@app.command()
def cancel(number: Annotated[int, typer.Argument(help="as `veldwatch calendar list` shows it")]) -> None:
    """Call an interruption off: it explains nothing any more."""
    with _connection() as connection:
        interruptions.cancel_interruption(
            connection, number, scope=None, now=_now(), patience=patience_of(load_settings())
        )
    typer.echo(f"interruption {number} is off")


@app.command("list")
def list_(
    organisation: Annotated[str | None, typer.Option(help="slug; none: all")] = None,
    since: Annotated[str, typer.Option("--from", help="ISO 8601; none: now")] = "",
    until: Annotated[str, typer.Option("--to", help="ISO 8601; none: a week later")] = "",
) -> None:
    """List the interruptions of a stretch: id, from, to, kind, where, title, and how many alerts each explains."""
    begins, ends = _stretch(since, until)
    with _connection() as connection:
        for row in interruptions.iterate_interruptions(connection, organisation, since=begins, until=ends):
            where = ", ".join([*row["sites"], *row["devices"]])
            typer.echo(
                f"{row['id']}\t{shown(row['begins_at'])}\t{shown(row['ends_at'])}\t{row['kind']}\t"
                f"{row['organisation']}: {where}\t{row['title']}\t{row['explains']} explained"
            )


@app.command()
def files() -> None:
    """List the calendars that were imported, with how many interruptions of each are to come."""
    with _connection() as connection:
        for row in calendars.list_calendars(connection, None, _now()):
            typer.echo(
                f"{row['organisation']}\t{row['slug']}\t{row['kind']}\t{row['coming']} to come\t"
                f"imported {shown(row['imported_at'])} by {row['imported_by']}"
            )


@app.command()
def export(
    organisation: Organisation,
    since: Annotated[str, typer.Option("--from", help="ISO 8601; none: now")] = "",
    until: Annotated[str, typer.Option("--to", help="ISO 8601; none: a week later")] = "",
) -> None:
    """Print the interruptions of a stretch as iCalendar."""
    begins, ends = _stretch(since, until)
    with _connection() as connection:
        rows = list(interruptions.iterate_interruptions(connection, organisation, since=begins, until=ends))
    named = [{**row, "uid": f"interruption-{row['id']}@{organisation}.veldwatch"} for row in rows]
    typer.echo(write_calendar(named, organisation), nl=False)


def _stretch(since: str, until: str) -> tuple[datetime, datetime]:
    """Read what may be left out: a week from now on."""
    begins = moment_of("--from", since) if since else _now()
    return begins, moment_of("--to", until) if until else begins + _WEEK


def _read(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read(_LARGEST_BYTES + 1) if str(file) == "-" else file.read_bytes()
        if len(content) > _LARGEST_BYTES:
            raise ConfigurationInvalid(f"bad calendar: {str(file)!r} (at most {_LARGEST_BYTES // 1_000_000} MB)")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad calendar: {str(file)!r} ({error})") from error


def _slug(name: str) -> str:
    made = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")[:63]
    if not made:
        raise ConfigurationInvalid(f"bad --name: {name!r} (expected letters and digits)")
    return made


def _now() -> datetime:
    return datetime.now(UTC)


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-calendar")
