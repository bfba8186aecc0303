"""`veldwatch broker accounts|run`: the broker's accounts from the register, and a broker that reads them again."""

import sys
import threading
from pathlib import Path
from typing import Annotated, Literal

import typer

from launch.account_files import AccountFiles
from launch.account_watch import AccountWatch
from launch.program_accounts import base_files
from launch.reloading import run_reloading
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals
from veldwatch.storage.connection import connect
from veldwatch.wire.broker_accounts import BrokerKind  # typer reads it

app = typer.Typer(no_args_is_help=True, help="The broker's accounts, written from the register.")

Listener = Literal["plain", "tls", "certificates"]
Folder = Annotated[Path, typer.Argument(help="where the broker reads its accounts from", file_okay=False)]


@app.command()
def accounts(
    folder: Folder,
    kind: Annotated[BrokerKind, typer.Option(help="which broker reads them")] = "nats",
    base: Annotated[
        Path | None, typer.Option(help="the programs' accounts: nats' list of users with the marker, mosquitto's ACL")
    ] = None,
    passwords: Annotated[
        Path | None, typer.Option(help="folder with their passwords, mqtt_NAME_password; unset: the broker knows them")
    ] = None,
    listener: Annotated[
        Listener, typer.Option(help="nats: certificates, where its listener maps them to accounts (verify_and_map)")
    ] = "plain",
    once: Annotated[bool, typer.Option("--once", help="write them and leave; else follow the register")] = False,
) -> None:
    """Write the accounts' files, and again whenever the register changes, until told to stop."""
    settings = load_settings()
    configure_logs(settings, "accounts")
    programs = base_files(kind, base, passwords)
    files = AccountFiles(kind=kind, folder=folder, base=programs, certificates=listener == "certificates")
    watch = AccountWatch(settings.dsn, files)
    if once:
        with connect(settings.dsn, autocommit=True, application="veldwatch-accounts") as connection:
            count = watch.write_once(connection)
        typer.echo(f"{count} accounts of the register are in {str(folder)!r}")
        return
    stop = stop_on_signals()
    serve_metrics(settings, ready=watch.written.is_set)
    watch.run(stop)


@app.command()
def run(
    watched: Annotated[list[Path], typer.Option(help="file that the broker reads its accounts from")],
    command: Annotated[list[str], typer.Argument(help="the broker and its arguments, after `--`")],
) -> None:
    """Run a broker, and have it read its accounts again (SIGHUP) whenever their files change."""
    configure_logs(load_settings(), "broker")
    stop: threading.Event = stop_on_signals()
    sys.exit(run_reloading(command, watched, stop))
