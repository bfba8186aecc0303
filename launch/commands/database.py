"""`veldwatch migrate` and `veldwatch maintain`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.config import load_settings
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals
from veldwatch.storage import maintenance
from veldwatch.storage.connection import connect
from veldwatch.storage.migrate import migrate as apply_migrations


def migrate() -> None:
    """Bring the database's schema to what this program needs."""
    with connect(load_settings().dsn, application="veldwatch-migrate") as connection:
        report = apply_migrations(connection)
    typer.echo(f"database: {report.server}")
    for step in report.applied:
        typer.echo(f"applied {step}")
    typer.echo(f"schema is up to date ({report.already + len(report.applied)} migrations)")


def maintain(
    once: Annotated[bool, typer.Option("--once", help="do every chore to its end, and leave")] = False,
) -> None:
    """Keep rollups, partitions and the log in order, until stopped."""
    settings = load_settings()
    configure_logs(settings, "maintenance")
    if not once:
        stop = stop_on_signals()
        serve_metrics(settings)
        maintenance.run(settings, stop)
        return
    with connect(settings.dsn, application="veldwatch-maintain") as connection:
        report = maintenance.run_once(connection, datetime.now(UTC), retention_days=settings.retention_days)
    typer.echo(
        f"renewed {report.hours} hourly buckets, judged {report.consumption_hours} hours of registers,"
        f" dropped {report.batches_dropped} batches of the log"
        f", {report.swept.parts} months or chunks and {report.swept.rows} rows past their time"
    )
