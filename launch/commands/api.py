"""`veldwatch api run`: the API, the console and HTTP intake."""

import typer

from api.server import serve
from launch.web import create_web_app
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs
from veldwatch.process import stop_on_signals

app = typer.Typer(no_args_is_help=True, help="The HTTP API, the console and HTTP intake.")


@app.callback()
def _api() -> None:
    """Keep `run` a command of its own though it is the only one."""


@app.command()
def run() -> None:
    """Serve the API, the console and HTTP intake until told to stop."""
    settings = load_settings()
    configure_logs(settings, "api")
    stop = stop_on_signals()
    serve(create_web_app(settings), settings, stop)
