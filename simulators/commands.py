"""`veldwatch simulate`: register a scenario, play it, inject faults and end them."""

import hashlib
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from simulators.building import Run, build_fleet
from simulators.moment import to_milliseconds
from simulators.playing import LIVE, Wanted, play
from simulators.registration import register as register_scenario
from simulators.scenario import Scenario
from simulators.scenario_files import load_scenario
from simulators.scenario_schema import schema_text
from simulators.serving import Serving
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.model.faults import FAULTS, suiting
from veldwatch.process import stop_on_signals
from veldwatch.storage import simulation
from veldwatch.storage.connection import connect
from veldwatch.storage.simulation_runs import RunPlan, list_runs, mark_run_stopped, request_run, request_run_stop
from veldwatch.wire.durations import parse_duration

app = typer.Typer(help="Simulated devices, and faults to try rules on.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="a scenario file, or the name of one that comes with Veldwatch")]
Seed = Annotated[int | None, typer.Option(help="same seed, same bytes; none: the scenario's")]
Since = Annotated[str, typer.Option("--from", help="first moment of the run, ISO 8601")]
Until = Annotated[str, typer.Option("--to", help="its last moment, ISO 8601")]


@app.command("register")
def register(scenario: Named = "demo") -> None:
    """Write a scenario's organisations, sites, profiles and devices to the register; again changes nothing."""
    loaded = load_scenario(scenario)
    with connect(load_settings().dsn) as connection:
        count = register_scenario(connection, loaded)
    typer.echo(f"registered {count} devices of {loaded.name}")


@app.command("run")
def run(
    scenario: Named = "demo",
    seed: Seed = None,
    speed: Annotated[float, typer.Option(min=0.01, help="simulated seconds a second, until the present")] = 1.0,
    backfill: Annotated[str, typer.Option(help="how much history to tell where none was told: 24h, 30m, 0s")] = "24h",
) -> None:
    """Publish a scenario's messages until stopped, going on where the last run stopped."""
    settings, loaded, now = load_settings(), load_scenario(scenario), _now()
    configure_logs(settings, "simulate")
    begins_at = now - _duration("--backfill", backfill)
    wanted = Wanted(
        scenario=loaded,
        seed=_seed(loaded, seed),
        begins_at=begins_at,
        live_from=max(begins_at, now - LIVE) if speed == 1.0 else begins_at,
        speed=speed,
    )
    stop = stop_on_signals()
    serve_metrics(settings)
    play(settings, wanted, _now, stop)


@app.command("serve")
def serve(
    scenario: Annotated[str | None, typer.Argument(help="played live where no run of it is open")] = None,
    history: Annotated[str, typer.Option(help="how much of the past it tells first: 24h, 30m, 0s")] = "24h",
) -> None:
    """Play the runs that are asked for, from command line, API or console, until stopped."""
    settings = load_settings()
    configure_logs(settings, "simulate")
    if scenario is not None:
        load_scenario(scenario)
    stop = stop_on_signals()
    serve_metrics(settings)
    Serving(settings=settings, stop=stop, scenario=scenario, history=_duration("--history", history), clock=_now).run()


@app.command("start")
def start(
    scenario: Named,
    seed: Seed = None,
    speed: Annotated[float | None, typer.Option(min=0.01, help="simulated seconds a second; none: 1, or --to")] = None,
    since: Annotated[str, typer.Option("--from", help="first moment, ISO 8601; none: now")] = "",
    until: Annotated[str, typer.Option("--to", help="last moment: told as fast as it goes, where no speed is")] = "",
) -> None:
    """Ask `simulate serve` for a run."""
    load_scenario(scenario)
    begins_at, ends_at = _moment("--from", since) if since else None, _moment("--to", until) if until else None
    plan = RunPlan(
        scenario=scenario,
        seed=seed,
        begins_at=begins_at,
        ends_at=ends_at,
        speed=speed if speed is not None or ends_at is not None else 1.0,
    )
    with connect(load_settings().dsn) as connection:
        number = request_run(connection, plan, requested_by="command line")
    typer.echo(f"run {number} of {scenario} is asked for (end it with `veldwatch simulate end {number}`)")


@app.command("end")
def end_run(run: Annotated[int, typer.Argument(help="number, see `veldwatch simulate list`")]) -> None:
    """Ask `simulate serve` to end a run."""
    with connect(load_settings().dsn) as connection:
        request_run_stop(connection, run)
    typer.echo(f"run {run} is to end")


@app.command("backfill")
def backfill(scenario: Named, since: Since, until: Until, seed: Seed = None) -> None:
    """Publish a stretch of a scenario as fast as it goes, with the faults that it plans, and write their truth."""
    settings, loaded = load_settings(), load_scenario(scenario)
    configure_logs(settings, "simulate")
    begins_at, ends_at = _stretch(since, until)
    wanted = Wanted(
        scenario=loaded,
        seed=_seed(loaded, seed),
        begins_at=begins_at,
        live_from=begins_at,
        ends_at=ends_at,
        speed=None,
    )
    started_at = _now()
    program = play(settings, wanted, _now, stop_on_signals())
    if program is None:
        raise typer.Exit(1)
    if program.run_id is not None:
        with connect(settings.dsn) as connection:
            mark_run_stopped(connection, program.run_id)
    seconds = (_now() - started_at).total_seconds()
    typer.echo(f"published {program.messages} messages of {loaded.name} in {seconds:.1f} s")


@app.command("dump")
def dump(
    scenario: Named,
    since: Since,
    until: Until,
    seed: Seed = None,
    *,
    digest: Annotated[bool, typer.Option("--digest", help="print only how many there are, and their SHA-256")] = False,
) -> None:
    """Write a stretch's messages without publishing them, a line each: milliseconds since 1970, topic, payload."""
    loaded = load_scenario(scenario)
    begins_at, ends_at = (to_milliseconds(moment) for moment in _stretch(since, until))
    wanted = Run(seed=_seed(loaded, seed), begins_at=begins_at, live_from=begins_at, ends_at=ends_at)
    sha256, count = hashlib.sha256(), 0
    for message in build_fleet(loaded, wanted).advance(ends_at):
        line = b"%d\t%s\t%s\n" % (message.due, message.topic.encode(), message.payload)
        sha256.update(line)
        count += 1
        if not digest:
            sys.stdout.buffer.write(line)
    if digest:
        typer.echo(f"{count} messages, SHA-256 {sha256.hexdigest()}")


@app.command("inject")
def inject(
    kind: Annotated[str, typer.Argument(help=f"one of {', '.join(FAULTS)}")],
    device: Annotated[str | None, typer.Option(help="its own identifier, as on the wire")] = None,
    site: Annotated[str | None, typer.Option(help="slug, for a fault of a whole site")] = None,
    organisation: Annotated[str | None, typer.Option(help="slug, where several have such a device")] = None,
    duration: Annotated[str | None, typer.Option(help="10m, 2h; none: until it is stopped")] = None,
    parameter: Annotated[list[str] | None, typer.Option("--set", help="name=value; what the kind takes")] = None,
) -> None:
    """Ask the running simulators for a fault."""
    parameters: dict[str, float] = dict(_assignment(text) for text in parameter or [])
    if duration is not None:
        parameters["duration_seconds"] = _duration("--duration", duration).total_seconds()
    if (device is None) == (site is None):
        raise ConfigurationInvalid("bad place: expected one of --device and --site")
    with connect(load_settings().dsn) as connection:
        device_id = None if device is None else simulation.find_device(connection, device, organisation)
        site_id = None if site is None else simulation.find_site(connection, site, organisation)
        fault = simulation.request_fault(
            connection,
            kind=kind,
            device_id=device_id,
            site_id=site_id,
            parameters=parameters,
            requested_by="command line",
        )
    typer.echo(f"fault {fault}: {kind} at {device or site} (end it with `veldwatch simulate stop {fault}`)")


@app.command("stop")
def stop_fault(fault: Annotated[int, typer.Argument(help="number, see `veldwatch simulate list`")]) -> None:
    """Ask the running simulators to end a fault."""
    with connect(load_settings().dsn) as connection:
        simulation.request_stop(connection, fault, now=_now())
    typer.echo(f"fault {fault} is to end")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of a scenario, for editors."""
    typer.echo(schema_text(), nl=False)


@app.command("list")
def list_all(scenario: Named = "demo") -> None:
    """Show a scenario's devices with the faults that suit them, then the newest runs and faults."""
    for plan in load_scenario(scenario).devices:
        kinds = ", ".join(kind.name for kind in suiting(plan.model))
        typer.echo(f"{plan.organisation}\t{plan.id}\t{kinds}")
    with connect(load_settings().dsn) as connection:
        runs, faults = list_runs(connection, limit=10), simulation.list_faults(connection, limit=50)
    for each in runs:
        typer.echo(
            f"run {each.id}\t{each.scenario}\tseed {each.seed}\tuntil {_shown(each.simulated_until)}\t"
            f"{each.messages} messages\t{'over' if each.stopped_at else 'open'}"
        )
    for fault in faults:
        typer.echo(
            f"fault {fault.id}\t{fault.kind}\t{fault.organisation}/{fault.device or fault.site}\t"
            f"from {_shown(fault.started_at)}\tto {_shown(fault.stopped_at or fault.ends_at)}"
        )


def _seed(scenario: Scenario, seed: int | None) -> int:
    return scenario.seed if seed is None else seed


def _stretch(since: str, until: str) -> tuple[datetime, datetime]:
    begins_at, ends_at = _moment("--from", since), _moment("--to", until)
    if ends_at <= begins_at:
        raise ConfigurationInvalid(f"bad --to: {until!r} (expected a moment after --from)")
    return begins_at, ends_at


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {text!r} (expected ISO 8601: 2026-11-22T10:00:00Z)") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad --set: {text!r} (expected name=number)") from error


def _duration(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {error}") from error


def _shown(at: datetime | None) -> str:
    return "-" if at is None else at.isoformat(timespec="seconds")


def _now() -> datetime:
    return datetime.now(UTC)
