"""`veldwatch rules`: carry the rules out, check and test their files, try them on history, apply them."""

from typing import Annotated

import typer

from rules.main import RulesProgram
from rules.rule_files import pack_path, read_rules
from veldwatch.config import load_settings
from veldwatch.errors import RuleInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals
from veldwatch.storage.connection import connect
from veldwatch.storage.rules import list_rules, save_rule

app = typer.Typer(
    help="Watch for what matters: rules, their tests, and what they would have found.", no_args_is_help=True
)

Files = Annotated[list[str], typer.Argument(help="rule files, or names of packs: water, demo, ...")]


@app.command()
def run() -> None:
    """Carry the rules out until told to stop; one engine per database, others stand by."""
    settings = load_settings()
    configure_logs(settings, "rules")
    stop = stop_on_signals()
    program = RulesProgram(settings=settings)
    serve_metrics(settings, ready=program.is_engine.is_set)
    program.run(stop)


@app.command()
def check(files: Files) -> None:
    """Say what is wrong with rule files; exit code 1 when something is."""
    wrong = 0
    for name in files:
        try:
            rules = read_rules(pack_path(name))
        except RuleInvalid as error:
            typer.echo(f"wrong: {error}", err=True)
            wrong += 1
        else:
            typer.echo(f"good: {name}: {len(rules)} rules")
    raise typer.Exit(1 if wrong else 0)


@app.command("apply")
def apply_files(
    files: Files,
    author: Annotated[str, typer.Option(help="who stands in the version's record")] = "command line",
) -> None:
    """Store the rules of files, all or none; a definition that is stored already makes no new version."""
    rules = [rule for name in files for rule in read_rules(pack_path(name))]
    with connect(load_settings().dsn) as connection, connection.transaction():
        for rule in rules:
            typer.echo(f"{rule.id} version {save_rule(connection, rule, author)}")


@app.command("list")
def list_all() -> None:
    """Show the rules that are stored."""
    with connect(load_settings().dsn) as connection:
        for stored in list_rules(connection):
            state = "enabled" if stored.enabled else "disabled"
            kind = stored.definition["condition"]["kind"]
            typer.echo(f"{stored.slug}\tversion {stored.version}\t{state}\t{stored.rule.severity.value}\t{kind}")
