"""The `veldwatch` command: the launcher's own commands, and those of the five programs mounted beside them.

Only the program that is named on the command line is imported: each process of the stack is a `veldwatch` of its
own, and would otherwise carry the weight of all.
"""

import os
import sys
from collections.abc import Callable, Mapping

import typer

from launch.commands import database, doctor, mailbox, up
from launch.running import adopt_running_stack
from veldwatch.errors import VeldwatchError

# These make a stack of their own.
_MAKERS = ("up", "demo")


def main() -> None:
    """Run a command; an error that Veldwatch can name is one line on standard error and exit code 2."""
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if named not in _MAKERS:
            adopt_running_stack(os.environ)
        application(named)()
    except VeldwatchError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(2)


def application(named: str) -> typer.Typer:
    """Build the command.

    Args:
        named: first word of the command line; a mounted program's name keeps the others out, anything else
            (help, a typing error) mounts all.
    """
    app = typer.Typer(
        name="veldwatch",
        help="Meters, sensors and wildlife trackers: stored readings, alerts that reach people, pictures.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("up")(up.up)
    app.command("demo")(up.demo)
    app.command("migrate")(database.migrate)
    app.command("maintain")(database.maintain)
    app.command("doctor")(doctor.doctor)
    app.add_typer(mailbox.app, name="mailbox")
    own = (*_MAKERS, "migrate", "maintain", "doctor", "mailbox")
    for name, load in _MOUNTED.items():
        if named == name or (named not in _MOUNTED and named not in own):
            app.add_typer(load(), name=name)
    return app


def _ingest() -> typer.Typer:
    from ingest.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _import() -> typer.Typer:
    from ingest.import_commands import import_app  # noqa: PLC0415  # only where it is named

    return import_app


def _rules() -> typer.Typer:
    from rules.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _notify() -> typer.Typer:
    from rules.notify.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _api() -> typer.Typer:
    from api.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _token() -> typer.Typer:
    from api.commands import token_app  # noqa: PLC0415  # only where it is named

    return token_app


def _simulate() -> typer.Typer:
    from simulators.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _dashboards() -> typer.Typer:
    from dashboards.commands import app  # noqa: PLC0415  # only where it is named

    return app


def _bench() -> typer.Typer:
    from benchmarks.commands import app  # noqa: PLC0415  # only where it is named

    return app


_MOUNTED: Mapping[str, Callable[[], typer.Typer]] = {
    "ingest": _ingest,
    "import": _import,
    "rules": _rules,
    "notify": _notify,
    "api": _api,
    "token": _token,
    "simulate": _simulate,
    "dashboards": _dashboards,
    "bench": _bench,
}
