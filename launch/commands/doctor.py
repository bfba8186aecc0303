"""`veldwatch doctor`: what is there, what answers, and what to do about the rest."""

import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from veldwatch.config import Settings, load_settings
from veldwatch.errors import VeldwatchError
from veldwatch.storage.connection import connect
from veldwatch.storage.health import tell_health
from veldwatch.storage.migrate import check_schema

_LEAST_DISK_BYTES = 2 * 1024**3


def doctor() -> None:
    """Check settings, database, schema, broker, ports and room; exit code 1 if something is wrong."""
    settings = load_settings()
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}, state folder {settings.home.resolve()}")
    wrong = 0
    for name, check in _checks(settings):
        try:
            typer.echo(f"  {name:<10} {typer.style('good', fg=typer.colors.GREEN)}   {check()}")
        except (VeldwatchError, OSError) as error:
            wrong += 1
            typer.echo(f"  {name:<10} {typer.style('wrong', fg=typer.colors.RED)}  {error}")
    raise typer.Exit(1 if wrong else 0)


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "disk", lambda: _disk(settings.home)
    if settings.dsn:
        yield "database", lambda: _database(settings.dsn)
        yield "broker", lambda: _broker(settings.mqtt_host, settings.mqtt_port)
        yield "intake", lambda: _intake(settings.dsn)
    else:
        yield "database", lambda: "embedded, not running (`veldwatch up` starts it)"


def _disk(home: Path) -> str:
    folder = next(path for path in (home.resolve(), *home.resolve().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < _LEAST_DISK_BYTES:
        raise OSError(f"{free / 1024**3:.1f} GB free at {folder} (expected 2 GB at least; make room)")
    return f"{free / 1024**3:.0f} GB free"


def _database(dsn: str) -> str:
    with connect(dsn, application="veldwatch-doctor") as connection:
        return f"{check_schema(connection)}, schema up to date"


def _broker(host: str, port: int) -> str:
    with socket.create_connection((host, port), timeout=5):
        return f"{host}:{port} takes connections"


def _intake(dsn: str) -> str:
    with connect(dsn, application="veldwatch-doctor") as connection:
        health = tell_health(connection)
    return f"{health['readings_per_second']:.1f} readings/s in the last minute, last write {health['last_batch_at']}"
