"""`veldwatch bench`: the measures of the design, each as one JSON object."""

import json
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.backtest import measure_backtest
from benchmarks.files import measure_files
from benchmarks.growth import READINGS as GROWTH_READINGS
from benchmarks.growth import drawn, measure_growth
from benchmarks.growth import markdown as growth_table
from benchmarks.intake import measure_intake
from benchmarks.kinds import KINDS, measure_kinds
from benchmarks.latency import measure_latency
from benchmarks.packs import BUNDLED, measure_packs
from benchmarks.restart import measure_restart
from benchmarks.result import Result
from benchmarks.rules import measure_rules
from benchmarks.simulators import measure_simulators
from benchmarks.table import markdown, measure
from veldwatch.config import load_settings
from veldwatch.logs import configure_logs

app = typer.Typer(help="Measure what the design promises, on this machine.", no_args_is_help=True)


class Broker(StrEnum):
    """A broker that Veldwatch can run by itself."""

    NATS = "nats"
    MOSQUITTO = "mosquitto"


class Server(StrEnum):
    """A database that a measurement can have by itself."""

    PLAIN = "plain"
    COMMUNITY = "community"


_READINGS = typer.Option(help="stored in all, rounded down to whole days", min=1000)
_SERIES = typer.Option(help="that they are of; of four metrics a meter, rounded up", min=8)
_STEP = typer.Option(help="minutes between two readings of a series; a divisor of 60", min=1, max=60)
_EDITION = typer.Option(help="plain: the embedded PostgreSQL; community: TimescaleDB in WebAssembly, slower")
_HOME = typer.Option(help="where the history is kept, and taken up again; none: it is gone afterwards", file_okay=False)
_DSN = typer.Option(help="an empty database on a server of yours instead")


@app.callback()
def bench() -> None:
    """Run one of the measurements."""


@app.command()
def intake(
    messages: Annotated[int, typer.Option(help="to send", min=1000)] = 200_000,
    items: Annotated[int, typer.Option(help="moments in each message, three readings each", min=1)] = 1,
    devices: Annotated[int, typer.Option(help="that send them in turn", min=1)] = 1000,
    rules: Annotated[int, typer.Option(help="carried out meanwhile; 0: no rules engine", min=0)] = 1000,
    broker: Annotated[Broker, typer.Option(help="started for this run only")] = Broker.NATS,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure messages at QoS 1 to committed and acknowledged rows, and to a subscriber that only counts."""
    configure_logs(load_settings(), "bench")
    _tell(
        measure_intake(messages=messages, devices=devices, rules=rules, broker=broker.value, items=items),
        as_json=as_json,
    )


@app.command()
def files(
    rows: Annotated[int, typer.Option(help="of one reading each", min=1000)] = 2_000_000,
    devices: Annotated[int, typer.Option(help="that they are of, in turn", min=1)] = 1000,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure a CSV file to committed readings and to rollups, and a bare COPY of the same rows into the same table."""
    configure_logs(load_settings(), "bench")
    _tell(measure_files(rows=rows, devices=devices), as_json=as_json)


@app.command()
def rules(
    readings: Annotated[int, typer.Option(help="that the engine reads from the log", min=1000)] = 1_500_000,
    rules: Annotated[int, typer.Option(help="each for the devices of one group", min=10)] = 1000,
    series: Annotated[int, typer.Option(help="that the readings are of, in turn", min=10)] = 10_000,
    matches: Annotated[int, typer.Option(help="rules that each series matches", min=1)] = 1,
    picture: Annotated[Path | None, typer.Option(help="of growth, as SVG")] = None,
    *,
    growth: Annotated[
        bool, typer.Option("--growth", help="how cost grows with rules, devices and alerts; JSON: a list")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure readings from the log to committed alerts, with many rules."""
    configure_logs(load_settings(), "bench")
    if growth:
        _tell_growth(readings, picture, as_json=as_json)
        return
    _tell(measure_rules(readings=readings, rules=rules, series=series, matches=matches), as_json=as_json)


def _tell(result: Result, *, as_json: bool) -> None:
    """Print a result as JSON or in lines; exit code 1 where it does not reconcile."""
    if as_json:
        typer.echo(json.dumps(result.document()))
    else:
        for name, value in result.document().items():
            typer.echo(f"{name:<30} {value}")
    if not result.reconciled:
        raise typer.Exit(1)


def _tell_growth(readings: int, picture: Path | None, *, as_json: bool) -> None:
    found = measure_growth(readings=min(readings, GROWTH_READINGS))
    if picture is not None:
        picture.write_text(drawn(found), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps([point.result.document() for point in found]))
    else:
        for line in growth_table(found):
            typer.echo(line)
    if not all(point.result.reconciled for point in found):
        raise typer.Exit(1)


@app.command()
def kinds(
    only: Annotated[list[str] | None, typer.Option(help="of the kinds; repeat; none: all")] = None,
    rules: Annotated[int, typer.Option(help="of each kind, on ten devices each", min=10)] = 1000,
    rounds: Annotated[int, typer.Option(help="observations of each device", min=1)] = 40,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, nothing else")] = False,
) -> None:
    """Measure every kind of condition, screened and one by one, without a database."""
    configure_logs(load_settings(), "bench")
    chosen = tuple(only) if only else tuple(KINDS)
    if unknown := set(chosen) - set(KINDS):
        raise typer.BadParameter(f"{sorted(unknown)} (expected some of {', '.join(KINDS)})", param_hint="--only")
    if not as_json:
        typer.echo("| kind | a second, screened | reach the fold | a second, one by one |")
        typer.echo("|---|---|---|---|")
    for found in measure_kinds(only=chosen, rules=rules, rounds=rounds):
        line = f"| {found.kind} | {found.per_second:,} | {found.folded:.2%} | {found.one_by_one_per_second:,} |"
        typer.echo(json.dumps(found.document()) if as_json else line)


@app.command()
def packs(
    only: Annotated[list[str] | None, typer.Option(help="of the bundled packs; repeat; none: all together")] = None,
    devices: Annotated[int, typer.Option(help="about so many", min=100)] = 10_000,
    rules: Annotated[int, typer.Option(help="about so many: copies of the packs', one for each organisation")] = 1000,
    hours: Annotated[int, typer.Option(help="simulated, after a first day", min=1)] = 12,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure the bundled packs on simulated meters, sensors and collars: readings from the log to alerts."""
    configure_logs(load_settings(), "bench")
    chosen = tuple(only) if only else BUNDLED
    if unknown := set(chosen) - set(BUNDLED):
        raise typer.BadParameter(f"{sorted(unknown)} (expected some of {', '.join(BUNDLED)})", param_hint="--only")
    _tell(measure_packs(packs=chosen, devices=devices, rules=rules, hours=hours), as_json=as_json)


@app.command()
def latency(
    rate: Annotated[int, typer.Option(help="messages a second, of three readings each", min=10)] = 5000,
    seconds: Annotated[int, typer.Option(help="for how long they are sent", min=1)] = 30,
    devices: Annotated[int, typer.Option(help="that send them in turn", min=1)] = 1000,
    rules: Annotated[int, typer.Option(help="each for the devices of one group", min=1)] = 1000,
    broker: Annotated[Broker, typer.Option(help="started for this run only")] = Broker.NATS,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure the time from publishing a message to the committed row of its alert."""
    configure_logs(load_settings(), "bench")
    _tell(
        measure_latency(rate=rate, seconds=seconds, devices=devices, rules=rules, broker=broker.value), as_json=as_json
    )


@app.command()
def restart(
    series: Annotated[int, typer.Option(help="of a device each", min=100)] = 100_000,
    rules: Annotated[int, typer.Option(help="each for the devices of one group", min=1)] = 1000,
    unsaved: Annotated[int, typer.Option(help="readings of each that were folded, not saved", min=0, max=100)] = 0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure how long the rules engine takes to be live again after a restart."""
    configure_logs(load_settings(), "bench")
    _tell(measure_restart(series=series, rules=rules, unsaved=unsaved), as_json=as_json)


@app.command()
def backtest(
    meters: Annotated[int, typer.Option(help="of one series each", min=1)] = 1000,
    step_minutes: Annotated[int, typer.Option(help="between two readings of a meter", min=1)] = 60,
    days: Annotated[int, typer.Option(help="of history", min=1)] = 365,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure a back-test of one rule over the history of many meters."""
    configure_logs(load_settings(), "bench")
    _tell(measure_backtest(meters=meters, step_minutes=step_minutes, days=days), as_json=as_json)


@app.command()
def simulators(
    devices: Annotated[int, typer.Option(help="water meters, from one process", min=1)] = 100_000,
    seconds: Annotated[float, typer.Option(help="for how long they publish, and half of it beside", min=0.1)] = 20.0,
    broker: Annotated[Broker, typer.Option(help="started for this run only")] = Broker.NATS,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure what simulated devices say, what of it a broker takes at QoS 1, and what it takes at most."""
    configure_logs(load_settings(), "bench")
    _tell(measure_simulators(devices=devices, seconds=seconds, broker=broker.value), as_json=as_json)


@app.command()
def storage(
    readings: Annotated[int, _READINGS] = 100_000_000,
    series: Annotated[int, _SERIES] = 10_000,
    interval: Annotated[int, _STEP] = 15,
    edition: Annotated[Server, _EDITION] = Server.PLAIN,
    home: Annotated[Path | None, _HOME] = None,
    dsn: Annotated[str, _DSN] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure how many bytes a reading takes on disk, and what it takes in a table as anybody would make it."""
    from benchmarks.storage import measure_storage  # noqa: PLC0415  # needs the tests' folder, which no image has

    configure_logs(load_settings(), "bench")
    _tell(
        measure_storage(
            readings=readings, series=series, step=_step(interval), edition=edition.value, home=home, dsn=dsn
        ),
        as_json=as_json,
    )


@app.command()
def query(
    readings: Annotated[int, _READINGS] = 100_000_000,
    series: Annotated[int, _SERIES] = 10_000,
    interval: Annotated[int, _STEP] = 15,
    windows: Annotated[int, typer.Option(help="of each range, for each of four panels", min=1)] = 25,
    edition: Annotated[Server, _EDITION] = Server.PLAIN,
    home: Annotated[Path | None, _HOME] = None,
    dsn: Annotated[str, _DSN] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure how long panels wait for an hour to a year, with a tenth of the history, then with all of it."""
    from benchmarks.panels import measure_panels  # noqa: PLC0415  # needs the tests' folder, which no image has

    configure_logs(load_settings(), "bench")
    _tell(
        measure_panels(
            readings=readings,
            series=series,
            step=_step(interval),
            windows=windows,
            edition=edition.value,
            home=home,
            dsn=dsn,
        ),
        as_json=as_json,
    )


def _step(minutes: int) -> timedelta:
    if 60 % minutes:
        raise typer.BadParameter(f"{minutes} (expected a divisor of 60)", param_hint="--interval")
    return timedelta(minutes=minutes)


@app.command()
def table(
    messages: Annotated[int, typer.Option(help="of three readings each", min=1000)] = 300_000,
    rows: Annotated[int, typer.Option(help="of the CSV file", min=1000)] = 2_000_000,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, nothing else")] = False,
) -> None:
    """Measure all of them, and print one table with the design's aims and the limits of this machine."""
    configure_logs(load_settings(), "bench")
    found = measure(messages=messages, rows=rows)
    if as_json:
        typer.echo(json.dumps({name: result.document() for name, result in found._asdict().items()}))
    else:
        for line in markdown(found):
            typer.echo(line)
    if not found.reconciled():
        raise typer.Exit(1)
