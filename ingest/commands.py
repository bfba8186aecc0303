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
