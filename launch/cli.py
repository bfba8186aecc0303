"""The `veldwatch` command: the launcher's own commands, and those of the five programs mounted beside them.

Only what is named on the command line is imported: each process of the stack is a `veldwatch` of its own, and would
otherwise carry the weight of all.
"""

import os
import sys
from collections.abc import Callable, Mapping

import typer

from launch.running import adopt_running_stack
from veldwatch.errors import VeldwatchError

# These make a stack of their own.
_MAKERS = ("up", "demo", "scorecard")


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
        named: first word of the command line; a command's name keeps the others out, anything else (help, a typing
            error) mounts all.
    """
    app = typer.Typer(
        name="veldwatch",
        help="Meters, sensors and wildlife trackers: stored readings, alerts that reach people, pictures.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        callback=_group,
    )
    for name, add in _COMMANDS.items():
        if named == name or named not in _COMMANDS:
            add(app)
    return app


def _group() -> None:
    """Keep commands apart by their names also where only one is mounted."""


def _up(app: typer.Typer) -> None:
    from launch.commands.up import up  # noqa: PLC0415  # only where it is named

    app.command("up")(up)


def _demo(app: typer.Typer) -> None:
    from launch.commands.up import demo  # noqa: PLC0415  # only where it is named

    app.command("demo")(demo)


def _migrate(app: typer.Typer) -> None:
    from launch.commands.database import migrate  # noqa: PLC0415  # only where it is named

    app.command("migrate")(migrate)


def _maintain(app: typer.Typer) -> None:
    from launch.commands.database import maintain  # noqa: PLC0415  # only where it is named

    app.command("maintain")(maintain)


def _consumption(app: typer.Typer) -> None:
    from launch.commands.consumption import consumption  # noqa: PLC0415  # only where it is named

    app.command("consumption")(consumption)


def _doctor(app: typer.Typer) -> None:
    from launch.commands.doctor import doctor  # noqa: PLC0415  # only where it is named

    app.command("doctor")(doctor)


def _backup(app: typer.Typer) -> None:
    from launch.commands.backup import backup  # noqa: PLC0415  # only where it is named

    app.command("backup")(backup)


def _restore(app: typer.Typer) -> None:
    from launch.commands.backup import restore  # noqa: PLC0415  # only where it is named

    app.command("restore")(restore)


def _storage(app: typer.Typer) -> None:
    from launch.commands.storage import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="storage")


def _retention(app: typer.Typer) -> None:
    from launch.commands.retention import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="retention")


def _corrections(app: typer.Typer) -> None:
    from launch.commands.corrections import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="corrections")


def _mailbox(app: typer.Typer) -> None:
    from launch.commands.mailbox import app as mailbox_app  # noqa: PLC0415  # only where it is named

    app.add_typer(mailbox_app, name="mailbox")


def _register(app: typer.Typer) -> None:
    from launch.commands.register import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="register")


def _ingest(app: typer.Typer) -> None:
    from ingest.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="ingest")


def _quarantine(app: typer.Typer) -> None:
    from ingest.quarantine_commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="quarantine")


def _import(app: typer.Typer) -> None:
    from ingest.imports.commands import import_app  # noqa: PLC0415  # only where it is named

    app.add_typer(import_app, name="import")


def _sources(app: typer.Typer) -> None:
    from ingest.source_commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="sources")


def _export(app: typer.Typer) -> None:
    from api.exports.commands import export_app  # noqa: PLC0415  # only where it is named

    app.add_typer(export_app, name="export")


def _rules(app: typer.Typer) -> None:
    from rules.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="rules")


def _score(app: typer.Typer) -> None:
    from rules.scorecard.commands import score  # noqa: PLC0415  # only where it is named

    app.command("score")(score)


def _scorecard(app: typer.Typer) -> None:
    from launch.commands.scorecard import scorecard  # noqa: PLC0415  # only where it is named

    app.command("scorecard")(scorecard)


def _notify(app: typer.Typer) -> None:
    from rules.notify.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="notify")


def _api(app: typer.Typer) -> None:
    from launch.commands.api import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="api")


def _token(app: typer.Typer) -> None:
    from api.commands import token_app  # noqa: PLC0415  # only where it is named

    app.add_typer(token_app, name="token")


def _credentials(app: typer.Typer) -> None:
    from launch.commands.credentials import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="credentials")


def _broker(app: typer.Typer) -> None:
    from launch.commands.broker import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="broker")


def _alerts(app: typer.Typer) -> None:
    from launch.commands.alerts import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="alerts")


def _incidents(app: typer.Typer) -> None:
    from launch.commands.incidents import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="incidents")


def _calendar(app: typer.Typer) -> None:
    from launch.commands.calendar import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="calendar")


def _silences(app: typer.Typer) -> None:
    from launch.commands.silences import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="silences")


def _simulate(app: typer.Typer) -> None:
    from simulators.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="simulate")


def _dashboards(app: typer.Typer) -> None:
    from dashboards.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="dashboards")


def _bench(app: typer.Typer) -> None:
    from benchmarks.commands import app as mounted  # noqa: PLC0415  # only where it is named

    app.add_typer(mounted, name="bench")


_COMMANDS: Mapping[str, Callable[[typer.Typer], None]] = {
    "up": _up,
    "demo": _demo,
    "migrate": _migrate,
    "maintain": _maintain,
    "consumption": _consumption,
    "doctor": _doctor,
    "storage": _storage,
    "retention": _retention,
    "corrections": _corrections,
    "backup": _backup,
    "restore": _restore,
    "mailbox": _mailbox,
    "register": _register,
    "ingest": _ingest,
    "quarantine": _quarantine,
    "import": _import,
    "export": _export,
    "sources": _sources,
    "rules": _rules,
    "score": _score,
    "scorecard": _scorecard,
    "notify": _notify,
    "api": _api,
    "token": _token,
    "credentials": _credentials,
    "broker": _broker,
    "alerts": _alerts,
    "incidents": _incidents,
    "silences": _silences,
    "calendar": _calendar,
    "simulate": _simulate,
    "dashboards": _dashboards,
    "bench": _bench,
}
