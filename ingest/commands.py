"""`veldwatch ingest`: take messages from the broker into the database."""

import typer

from ingest.worker import Worker
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals
from veldwatch.storage import quarantine
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
    worker.run(stop)


@app.command()
def status() -> None:
    """Say what came in last, and what is in quarantine."""
    settings = load_settings()
    with connect(settings.dsn) as connection:
        for reason, count in quarantine.summary(connection):
            typer.echo(f"quarantine  {reason:<24} {count:>9}")
