"""`veldwatch mailbox run`: the demo's mail server."""

import typer

from launch.mailbox import receive_mail
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.process import stop_on_signals

app = typer.Typer(help="The demo's mail server.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `run` a command of its own, though it is the only one."""


@app.command()
def run() -> None:
    """Keep every mail that is sent to VELDWATCH_SMTP_HOST and VELDWATCH_SMTP_PORT, until stopped."""
    settings = load_settings()
    if settings.mailbox_path is None:
        raise ConfigurationInvalid("bad VELDWATCH_MAILBOX_PATH: it is not set (expected the folder for mails)")
    configure_logs(settings, "mailbox")
    receive_mail(settings.mailbox_path, settings.smtp_host or "127.0.0.1", settings.smtp_port, stop_on_signals())
