"""`veldwatch rules`: carry the rules out, check and test their files, try them on history, apply them."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from rules.backtest import lines, run_backtests
from rules.backtests.spread import Spread
from rules.backtests.stretch import Stretch
from rules.main import RulesProgram, clock
from rules.pictures.picture import draw
from rules.postgres_store import PostgresStore
from rules.rule_files import pack_path, read_rules
from rules.rule_tests import read_tests
from rules.statistics_lines import statistics_lines
from veldwatch.command_line import moment_of, stretch_of, zone_of
from veldwatch.config import load_settings
from veldwatch.errors import RuleInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.model.rule import Rule
from veldwatch.process import stop_on_signals
from veldwatch.storage.backtests import read_one_moment
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.rule_statistics import StatisticsAsked, rule_statistics
from veldwatch.storage.rules import get_rule, list_rules, save_rule
from veldwatch.storage.workers import list_workers
from veldwatch.wire.rule_schema import schema_text

app = typer.Typer(
    help="Watch for what matters: rules, their tests, and what they would have found.", no_args_is_help=True
)

Files = Annotated[list[str], typer.Argument(help="rule files, or names of packs: water, demo, ...")]


@app.command()
def run() -> None:
    """Carry the rules out until told to stop, or a share of them; who finds every place taken stands by."""
    settings = load_settings()
    configure_logs(settings, "rules")
    stop = stop_on_signals()
    program = RulesProgram(settings=settings)
    serve_metrics(settings, ready=program.is_engine.is_set)
    program.run(stop)


@app.command()
def workers() -> None:
    """Show the shares of VELDWATCH_RULE_WORKERS: who carries them out, how far behind; exit code 1 when one is free."""
    with connect(load_settings().dsn) as connection:
        listed = list_workers(connection)
    for worker in listed:
        state = "taken" if worker.taken else "free"
        typer.echo(f"{worker.place}\t{state}\t{worker.batches} batches behind\t{worker.seconds:.1f} s")
    raise typer.Exit(0 if all(worker.taken for worker in listed) else 1)


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


@app.command("test")
def test_files(
    files: Annotated[list[str], typer.Argument(help="test files, see docs/reference/rule-tests.md")],
) -> None:
    """Run rule tests; exit code 1 when one fails."""
    failed = 0
    for name in files:
        for test in read_tests(Path(name)):
            complaints = test.complaints()
            failed += bool(complaints)
            typer.echo(f"{'FAILED' if complaints else 'passed'}: {test.rule.id}: {test.name}")
            for complaint in complaints:
                typer.echo(f"    {complaint}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def picture(
    file: Annotated[str, typer.Argument(help="a test file, see docs/reference/rule-tests.md")],
    output: Annotated[str, typer.Option("--output", "-o", help="file to write; none: print it")] = "",
) -> None:
    """Draw a test file (SVG): what is observed, the limits, and the alerts that come of it."""
    drawn = draw(read_tests(Path(file)))
    if output:
        Path(output).write_text(drawn, encoding="utf-8")
        return
    typer.echo(drawn, nl=False)


@app.command()
def backtest(
    rule: Annotated[str, typer.Argument(help="id of a stored rule, or a file with one rule")],
    since: Annotated[str, typer.Option("--from", help="first moment at which an alert counts, ISO 8601")],
    until: Annotated[str, typer.Option("--to", help="first moment that does not count; none: now")] = "",
    timezone: Annotated[str, typer.Option(help="where night is night, such as Africa/Lusaka")] = "UTC",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Tell what a rule would have raised over stored history; nothing is written."""
    begin, end = stretch_of(moment_of("--from", since), moment_of("--to", until) if until else clock())
    stretch = Stretch(since=begin, until=end)
    zone = zone_of("--timezone", timezone)
    dsn = load_settings().dsn
    with connect(dsn) as connection:
        read_one_moment(connection)
        store = PostgresStore(connection=connection, until=stretch.until)
        found = tuple(_rules_named(connection, rule))
        spread = Spread(dsn=dsn, connection=connection, rules=found, processes=os.cpu_count() or 1)
        documents = [report.document(zone) for report in run_backtests(store, found, stretch, fold=spread)]
    if as_json:
        typer.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False))
        return
    for document in documents:
        for line in lines(document):
            typer.echo(line)


@app.command()
def statistics(
    rule: Annotated[str, typer.Argument(help="id of a stored rule")],
    since: Annotated[str, typer.Option("--from", help="first moment that counts, ISO 8601; none: 28 days back")] = "",
    until: Annotated[str, typer.Option("--to", help="first moment that does not count; none: now")] = "",
    timezone: Annotated[str, typer.Option(help="where night is night, such as Africa/Lusaka")] = "UTC",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Tell how often a rule's alerts fired, how long they held, and what people did with them."""
    end = moment_of("--to", until) if until else clock()
    begin, end = stretch_of(moment_of("--from", since) if since else end - timedelta(days=28), end)
    with connect(load_settings().dsn) as connection:
        get_rule(connection, rule)
        asked = StatisticsAsked(rule=rule, since=begin, until=end, zone=zone_of("--timezone", timezone).key)
        document = rule_statistics(connection, asked)
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=datetime.isoformat))
        return
    for line in statistics_lines(document):
        typer.echo(line)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a rule, as docs/reference/rule.schema.json holds it."""
    typer.echo(schema_text(), nl=False)


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


def _rules_named(connection: Connection, name: str) -> list[Rule]:
    path = pack_path(name)
    return read_rules(path) if path.exists() else [get_rule(connection, name).rule]
