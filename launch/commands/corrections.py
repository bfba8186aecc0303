"""`veldwatch corrections add|withdraw|list`: what counts in place of what a device said."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.command_line import moment_of, operator
from veldwatch.config import load_settings
from veldwatch.storage import corrections
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.corrections import BEGINNING, Grounds, SeriesName

app = typer.Typer(no_args_is_help=True, help="What counts in place of what a device said; the raw value stays.")

_SHOWN = 1000

Device = Annotated[str, typer.Argument(help="external id")]
Metric = Annotated[str, typer.Argument()]
At = Annotated[str, typer.Argument(help="ISO 8601: the time of the reading")]
Organisation = Annotated[str | None, typer.Option(help="slug, where two have such a device")]
Reason = Annotated[str, typer.Option(help="why, for whoever finds it")]


@app.command()
def add(  # typer makes an option of each
    device: Device,
    metric: Metric,
    at: At,
    value: Annotated[float, typer.Argument()],
    reason: Reason,
    method: Annotated[str, typer.Option(help="how the value was found")] = "manual",
    organisation: Organisation = None,
) -> None:
    """Let a value count at a time, whether the device said something then or not."""
    grounds = Grounds(author=operator(), method=method, reason=reason)
    with _connection() as connection:
        series = corrections.find_series(connection, None, _name(device, metric, organisation))
        values = {moment_of("AT", at): value}
        count = corrections.add_corrections(connection, series, values, grounds, datetime.now(UTC))
    typer.echo(f"{count} corrected" if count else "that counts already")


@app.command()
def withdraw(device: Device, metric: Metric, at: At, reason: Reason, organisation: Organisation = None) -> None:
    """Let what the device said count again."""
    grounds = Grounds(author=operator(), method="withdrawal", reason=reason)
    with _connection() as connection:
        series = corrections.find_series(connection, None, _name(device, metric, organisation))
        corrections.withdraw_corrections(connection, series, [moment_of("AT", at)], grounds)
    typer.echo("withdrawn")


@app.command("list")
def list_(device: Device, metric: Metric, organisation: Organisation = None) -> None:
    """List what was said of readings of a series; what counts no more too."""
    with _connection() as connection:
        series = corrections.find_series(connection, None, _name(device, metric, organisation))
        for row in corrections.list_corrections(connection, None, series["id"], BEGINNING, _SHOWN):
            said = "nothing" if row["raw_value"] is None else f"{row['raw_value']:g}"
            state = "counts" if row["counts"] else "withdrawal" if row["withdrawn"] else "counts no more"
            typer.echo(
                f"{row['observed_at'].isoformat()}\tversion {row['version']}\t{row['value']:g} for {said}\t{state}\t"
                f"{row['author']}, {row['method']}: {row['reason']}"
            )


def _name(device: str, metric: str, organisation: str | None) -> SeriesName:
    return SeriesName(device=device, metric=metric, organisation=organisation)


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-corrections")
