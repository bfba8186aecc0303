"""`veldwatch ingest`: take messages from the broker into the database."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingest import status
from ingest.worker import Worker
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import collect_garbage_seldom, stop_on_signals
from veldwatch.storage import ingestors, intake, quarantine
from veldwatch.storage.connection import connect

app = typer.Typer(help="Take messages from the broker into the database.", no_args_is_help=True)


@app.command()
def run() -> None:
    """Subscribe, store and acknowledge until told to stop."""
    settings = load_settings()
    configure_logs(settings, "ingest")
    stop = stop_on_signals()
    worker = Worker(settings)
    serve_metrics(settings, ready=worker.subscriber.connected.is_set)
    collect_garbage_seldom()
    worker.run(stop)


@app.command("status")
def show_status(
    *, as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False
) -> None:
    """Show queue, pace and lag of each ingestor and source, the oldest unacknowledged message, and quarantine."""
    with connect(load_settings().dsn) as connection:
        last, listed = intake.last_commit(connection), ingestors.states(connection)
        refused = quarantine.summary(connection)
    now = datetime.now(UTC)
    if as_json:
        found = status.document(listed, last, now) | {"quarantine": dict(refused)}
        typer.echo(json.dumps(found, default=lambda moment: moment.isoformat()))
        return
    for line in status.lines(listed, last, now):
        typer.echo(line)
    typer.echo("")
    for reason, count in refused:
        typer.echo(f"quarantine  {reason:<24} {count:>9}")


@app.command("quarantine")
def list_quarantine(
    number: Annotated[int | None, typer.Argument(help="show this one, payload and all")] = None,
    reason: Annotated[str | None, typer.Option(help="only of this reason")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
) -> None:
    """List what could not be stored, newest first."""
    with connect(load_settings().dsn) as connection:
        if number is None:
            for row in quarantine.newest(connection, reason=reason, limit=limit):
                typer.echo(_line(row))
            return
        row = quarantine.get(connection, number)
    typer.echo(f"{_line(row)}\n\n{row.payload.decode(errors='backslashreplace')}")


def _line(row: quarantine.QuarantineRow) -> str:
    when = row.last_received_at.isoformat(timespec="seconds")
    return f"{row.id:>8}  {when}  {row.count:>6} x  {row.reason:<22} {row.topic[:60]!r}  {row.detail[:120]}"
