"""`veldwatch notify`: run the deliverer, keep receivers, check a webhook's signature by hand."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from rules.notify.delivery import Deliverer
from rules.notify.email import EmailChannel
from rules.notify.program import NotifyProgram
from rules.notify.signature import is_authentic, new_secret
from rules.notify.stages import Pacing
from rules.notify.webhook import WebhookChannel, new_client
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.model.notifications import Channel
from veldwatch.process import stop_on_signals
from veldwatch.secret_settings import STANDARD_INPUT, read_secret
from veldwatch.storage.connection import connect
from veldwatch.storage.receivers import NewReceiver, add_receiver, disable_receiver, enable_receiver, list_receivers

app = typer.Typer(help="Deliver notifications and keep their receivers.", no_args_is_help=True)
receiver_app = typer.Typer(help="Who is told of alerts.", no_args_is_help=True)
app.add_typer(receiver_app, name="receiver")


@app.command()
def run() -> None:
    """Deliver what is due, until stopped."""
    settings = load_settings()
    configure_logs(settings, "notify")
    stop = stop_on_signals()
    serve_metrics(settings)
    with new_client() as client:
        senders = {
            Channel.EMAIL: EmailChannel(settings=settings),
            Channel.WEBHOOK: WebhookChannel(client=client, clock=_now),
        }
        pacing = Pacing(
            settling=timedelta(seconds=settings.settling_seconds),
            group_wait=timedelta(seconds=settings.group_wait_seconds),
        )
        NotifyProgram(
            dsn=settings.dsn, deliverer=Deliverer(senders=senders, clock=_now, pacing=pacing), stop=stop
        ).run()


@app.command()
def verify(
    secret_file: Annotated[Path, typer.Option(help="with the receiver's secret, whsec_...; -: standard input")],
    message_id: Annotated[str, typer.Option("--id", help="header webhook-id")],
    timestamp: Annotated[str, typer.Option(help="header webhook-timestamp")],
    signature: Annotated[str, typer.Option(help="header webhook-signature")],
    body: Annotated[Path | None, typer.Argument(help="file with the body; none: standard input")] = None,
) -> None:
    """Check a webhook that was received, as its receiver should; exit code 1 when it is not ours or too old."""
    if body is None and secret_file == STANDARD_INPUT:
        raise ConfigurationInvalid("bad --secret-file: '-' (standard input is the body: name a file for one of them)")
    secret = read_secret(secret_file, "--secret-file")
    content = sys.stdin.buffer.read() if body is None else body.read_bytes()
    authentic = is_authentic(
        secret, message_id=message_id, timestamp=timestamp, signatures=signature, body=content, now=_now()
    )
    typer.echo("authentic" if authentic else "not authentic: wrong secret, changed content, or older than 5 minutes")
    raise typer.Exit(0 if authentic else 1)


@receiver_app.command("add")
def add(
    slug: str,
    channel: Channel,
    address: str,
    organisation: Annotated[str | None, typer.Option(help="slug; none: alerts of every organisation")] = None,
    minimum_severity: Annotated[str, typer.Option(help="info, minor, major or critical")] = "info",
    secret_file: Annotated[
        Path | None,
        typer.Option(help="with what signs webhooks; -: standard input; none: a secret is made and shown once"),
    ] = None,
) -> None:
    """Tell somebody of alerts from now on."""
    secret = None if secret_file is None else read_secret(secret_file, "--secret-file")
    made = new_secret() if channel is Channel.WEBHOOK and secret is None else None
    new = NewReceiver(
        slug=slug,
        channel=channel,
        address=address,
        organisation=organisation,
        minimum_severity=minimum_severity,
        secret=made if secret is None else secret,
    )
    with connect(load_settings().dsn) as connection:
        add_receiver(connection, new)
    typer.echo(f"added {slug}")
    if made is not None:
        typer.echo(f"its secret, shown only now: {made}")


@receiver_app.command("list")
def list_all() -> None:
    """Show every receiver; secrets are never shown."""
    with connect(load_settings().dsn) as connection:
        receivers = list_receivers(connection)
    for receiver in receivers:
        state = "enabled" if receiver.enabled else "disabled"
        scope = receiver.organisation or "every organisation"
        typer.echo(
            f"{receiver.slug}\t{receiver.channel.value}\t{receiver.address}\t{scope}\t{receiver.minimum_severity}\t{state}"
        )


@receiver_app.command()
def disable(slug: str) -> None:
    """Stop telling somebody."""
    with connect(load_settings().dsn) as connection:
        disable_receiver(connection, slug)
    typer.echo(f"disabled {slug}")


@receiver_app.command()
def enable(slug: str) -> None:
    """Tell somebody again of what happens from now on."""
    with connect(load_settings().dsn) as connection:
        enable_receiver(connection, slug)
    typer.echo(f"enabled {slug}")


def _now() -> datetime:
    return datetime.now(UTC)
