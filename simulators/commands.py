"""`veldwatch simulate`: register a scenario, play it, inject faults and end them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from simulators.clock import SimulatedClock
from simulators.fleet import build_fleet
from simulators.program import SimulateProgram
from simulators.publisher import Publisher
from simulators.registration import register as register_scenario
from simulators.scenario import Scenario, load_scenario
from simulators.state_file import state_path
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.logs import configure_logs
from veldwatch.metrics import serve_metrics
from veldwatch.process import stop_on_signals
from veldwatch.storage import simulation
from veldwatch.storage.connection import connect
from veldwatch.wire.durations import parse_duration
from veldwatch.wire.topics import Kind, topic_for
from veldwatch.wire.veldwatch_json import encode_status

app = typer.Typer(help="Simulated devices, and faults to try rules on.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(help="a scenario file, or the name of one that comes with Veldwatch")]


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
    seed: Annotated[int | None, typer.Option(help="same seed, same bytes; none: the scenario's")] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="simulated seconds a second, until the present")] = 1.0,
    backfill: Annotated[str, typer.Option(help="how much history to tell where none was told: 24h, 30m, 0s")] = "24h",
) -> None:
    """Publish a scenario's messages until stopped, going on where the last run stopped."""
    settings = load_settings()
    loaded = load_scenario(scenario)
    used_seed = loaded.seed if seed is None else seed
    configure_logs(settings, "simulate")
    stop = stop_on_signals()
    serve_metrics(settings)
    started_at = _now()
    begins_at = started_at - _duration("--backfill", backfill)
    fleet = build_fleet(loaded, used_seed)
    gateway = _gateway(loaded)
    with Publisher(
        settings,
        stop,
        client_id=f"veldwatch-simulate-{loaded.name}-{used_seed}",
        will=None if gateway is None else (gateway, encode_status(online=False)),
        birth=None if gateway is None else (gateway, encode_status(online=True)),
    ) as publisher:
        SimulateProgram(
            dsn=settings.dsn,
            fleet=fleet,
            publisher=publisher,
            state_path=state_path(settings.home, loaded.name, used_seed),
            begins_at=begins_at,
            # Real time plays the history at once; another speed plays it at that speed.
            simulated=SimulatedClock(
                started_at=started_at, begins_at=started_at if speed == 1.0 else begins_at, speed=speed
            ),
            clock=_now,
            stop=stop,
        ).run()


@app.command("inject")
def inject(
    kind: Annotated[str, typer.Argument(help=", ".join(simulation.KINDS))],
    device: Annotated[str, typer.Option(help="its own identifier, as on the wire")],
    organisation: Annotated[str | None, typer.Option(help="slug, where several have such a device")] = None,
    duration: Annotated[str | None, typer.Option(help="10m, 2h; none: until it is stopped")] = None,
) -> None:
    """Ask the running simulators for a fault."""
    parameters = {} if duration is None else {"duration_seconds": _duration("--duration", duration).total_seconds()}
    with connect(load_settings().dsn) as connection:
        device_id = simulation.find_device(connection, device, organisation)
        fault = simulation.request_fault(
            connection, device_id=device_id, kind=kind, parameters=parameters, requested_by="command line"
        )
    typer.echo(f"fault {fault}: {kind} at {device} (end it with `veldwatch simulate stop {fault}`)")


@app.command("stop")
def stop_fault(fault: Annotated[int, typer.Argument(help="number, see `veldwatch simulate list`")]) -> None:
    """Ask the running simulators to end a fault."""
    with connect(load_settings().dsn) as connection:
        simulation.request_stop(connection, fault, now=_now())
    typer.echo(f"fault {fault} is to end")


@app.command("list")
def list_all(scenario: Named = "demo") -> None:
    """Show a scenario's devices with the faults that suit them, then the newest faults and what became of them."""
    fleet = build_fleet(load_scenario(scenario), 0)
    for name, member in fleet.members.items():
        typer.echo(f"{name.organisation}\t{name.device}\t{', '.join(member.faults)}")
    with connect(load_settings().dsn) as connection:
        faults = simulation.list_faults(connection, limit=50)
    for fault in faults:
        typer.echo(
            f"fault {fault.id}\t{fault.kind}\t{fault.organisation}/{fault.device}\t"
            f"from {_shown(fault.started_at)}\tto {_shown(fault.stopped_at or fault.ends_at)}"
        )


def _gateway(scenario: Scenario) -> str | None:
    """Return the status topic of the first gateway: it bears the connection's last will."""
    gateways = [plan for plan in scenario.devices if plan.model == "gateway"]
    return topic_for(gateways[0].organisation, gateways[0].id, Kind.STATUS) if gateways else None


def _duration(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {error}") from error


def _shown(at: datetime | None) -> str:
    return "-" if at is None else at.isoformat(timespec="seconds")


def _now() -> datetime:
    return datetime.now(UTC)
