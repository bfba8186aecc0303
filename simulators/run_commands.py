"""The commands of `veldwatch simulate` that play runs, serve them, and ask for them."""

from typing import Annotated

import structlog
import typer

from simulators.options import (
    Named,
    Processes,
    Seed,
    Since,
    Until,
    run_stretch,
    seed_of,
    wall_clock,
)
from simulators.playing import LIVE, Wanted
from simulators.registration import register
from simulators.scenario import Scenario
from simulators.scenario_files import load_scenario
from simulators.serving import Serving
from simulators.shared_run import play_together
from veldwatch.command_line import duration_of, moment_of
from veldwatch.config import Settings, load_settings
from veldwatch.errors import ConfigurationInvalid, StorageUnavailable
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import collect_garbage_seldom, stop_on_signals
from veldwatch.storage.connection import connect
from veldwatch.storage.simulation_runs import RunPlan, mark_run_stopped, request_run, request_run_stop

_log = structlog.get_logger()


def run(
    scenario: Named = "demo",
    seed: Seed = None,
    speed: Annotated[float, typer.Option(min=0.01, help="simulated seconds a second, until the present")] = 1.0,
    backfill: Annotated[str, typer.Option(help="how much history to tell where none was told: 24h, 30m, 0s")] = "24h",
    processes: Processes = 1,
) -> None:
    """Publish a scenario's messages until stopped, going on where the last run stopped."""
    settings, loaded, now = load_settings(), load_scenario(scenario), wall_clock()
    _check_broker(settings)
    configure_logs(settings, "simulate")
    begins_at = now - duration_of("--backfill", backfill)
    wanted = Wanted(
        scenario=loaded,
        seed=seed_of(loaded, seed),
        begins_at=begins_at,
        live_from=max(begins_at, now - LIVE) if speed == 1.0 else begins_at,
        speed=speed,
    )
    stop = stop_on_signals()
    collect_garbage_seldom()
    serve_metrics(settings)
    try:
        _registered(settings, loaded)
    except StorageUnavailable as error:
        _log.warning("database unavailable, nothing is registered", error=str(error))
    play_together(settings, wanted, processes, stop)


def backfill(scenario: Named, since: Since, until: Until, seed: Seed = None, processes: Processes = 1) -> None:
    """Publish a stretch of a scenario as fast as it goes, with the faults that it plans, and write their truth."""
    settings, loaded = load_settings(), load_scenario(scenario)
    _check_broker(settings)
    configure_logs(settings, "simulate")
    begins_at, ends_at = run_stretch(since, until)
    wanted = Wanted(
        scenario=loaded,
        seed=seed_of(loaded, seed),
        begins_at=begins_at,
        live_from=begins_at,
        ends_at=ends_at,
        speed=None,
    )
    _registered(settings, loaded)
    collect_garbage_seldom()
    started_at = wall_clock()
    told = play_together(settings, wanted, processes, stop_on_signals())
    if told is None:
        raise typer.Exit(1)
    if told.run_id is not None:
        with connect(settings.dsn) as connection:
            mark_run_stopped(connection, told.run_id)
    seconds = (wall_clock() - started_at).total_seconds()
    typer.echo(f"published {told.messages} messages of {loaded.name} in {seconds:.1f} s")


def _check_broker(settings: Settings) -> None:
    """Refuse the port that stands for any free one: only who starts a broker can choose it."""
    if settings.mqtt_port == 0:
        raise ConfigurationInvalid("bad VELDWATCH_MQTT_PORT: 0 (expected the port of a broker that runs)")


def _registered(settings: Settings, scenario: Scenario) -> None:
    """See that what is going to be told has devices: what nobody has registered would end in quarantine."""
    if settings.dsn:
        with connect(settings.dsn) as connection:
            register(connection, scenario)


def serve(
    scenario: Annotated[str | None, typer.Argument(help="played live where no run of it is open")] = None,
    history: Annotated[str, typer.Option(help="how much of the past it tells first: 24h, 30m, 0s")] = "24h",
) -> None:
    """Play the runs that are asked for, from command line, API or console, until stopped."""
    settings = load_settings()
    _check_broker(settings)
    configure_logs(settings, "simulate")
    if scenario is not None:
        load_scenario(scenario)
    stop = stop_on_signals()
    serve_metrics(settings)
    Serving(
        settings=settings, stop=stop, scenario=scenario, history=duration_of("--history", history), clock=wall_clock
    ).run()


def start(
    scenario: Named,
    seed: Seed = None,
    speed: Annotated[float | None, typer.Option(min=0.01, help="simulated seconds a second; none: 1, or --to")] = None,
    since: Annotated[str, typer.Option("--from", help="first moment, ISO 8601; none: now")] = "",
    until: Annotated[str, typer.Option("--to", help="last moment: told as fast as it goes, where no speed is")] = "",
) -> None:
    """Ask `simulate serve` for a run."""
    load_scenario(scenario)
    begins_at, ends_at = moment_of("--from", since) if since else None, moment_of("--to", until) if until else None
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


def end_run(run: Annotated[int, typer.Argument(help="number, see `veldwatch simulate list`")]) -> None:
    """Ask `simulate serve` to end a run."""
    with connect(load_settings().dsn) as connection:
        request_run_stop(connection, run)
    typer.echo(f"run {run} is to end")
