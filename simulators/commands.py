"""`veldwatch simulate`: register a scenario, play it, inject faults and end them."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from simulators.building import Run, build_fleet
from simulators.fault_commands import inject, stop_fault
from simulators.moment import to_milliseconds
from simulators.options import Named, Seed, Since, Until, run_stretch, seed_of
from simulators.planned_calendar import planned_calendars
from simulators.registration import register as register_scenario
from simulators.run_commands import backfill, end_run, run, serve, start
from simulators.scenario_files import load_scenario
from simulators.scenario_schema import schema_text
from simulators.stream import digest, in_order, line
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import suiting
from veldwatch.storage import simulation
from veldwatch.storage.connection import connect
from veldwatch.storage.simulation_runs import list_runs

app = typer.Typer(help="Simulated devices, and faults to try rules on.", no_args_is_help=True)
app.command("run")(run)
app.command("backfill")(backfill)
app.command("serve")(serve)
app.command("start")(start)
app.command("end")(end_run)
app.command("inject")(inject)
app.command("stop")(stop_fault)


@app.command("register")
def register(scenario: Named = "demo") -> None:
    """Write a scenario's organisations, sites, profiles and devices to the register; again changes nothing."""
    loaded = load_scenario(scenario)
    with connect(load_settings().dsn) as connection:
        count = register_scenario(connection, loaded)
    typer.echo(f"registered {count} devices of {loaded.name}")


@app.command("dump")
def dump(
    scenario: Named,
    since: Since,
    until: Until,
    seed: Seed = None,
    *,
    only_digest: Annotated[
        bool, typer.Option("--digest", help="print only how many there are, and their SHA-256")
    ] = False,
) -> None:
    """Write a stretch's messages without publishing them, a line each: milliseconds since 1970, topic, payload."""
    loaded = load_scenario(scenario)
    begins_at, ends_at = (to_milliseconds(moment) for moment in run_stretch(since, until))
    wanted = Run(seed=seed_of(loaded, seed), begins_at=begins_at, live_from=begins_at, ends_at=ends_at)
    messages = in_order([build_fleet(loaded, wanted)], ends_at)
    if only_digest:
        found = digest(messages)
        typer.echo(f"{found.messages} messages, SHA-256 {found.sha256}")
        return
    for message in messages:
        sys.stdout.buffer.write(line(message))


@app.command("calendar")
def calendar(
    scenario: Named,
    since: Since,
    until: Until,
    seed: Seed = None,
    organisation: Annotated[str, typer.Option(help="slug; none: the only one that plans anything")] = "",
) -> None:
    """Print what a stretch plans to switch off, as iCalendar for `veldwatch calendar import`."""
    loaded = load_scenario(scenario)
    begins_at, ends_at = (to_milliseconds(moment) for moment in run_stretch(since, until))
    wanted = Run(seed=seed_of(loaded, seed), begins_at=begins_at, live_from=begins_at, ends_at=ends_at)
    found = planned_calendars(loaded, wanted)
    if not organisation and len(found) == 1:
        (organisation,) = found
    if organisation not in found:
        planning = ", ".join(found) or "none that plans anything"
        raise ConfigurationInvalid(f"bad --organisation: {organisation!r} (expected one of {planning})")
    typer.echo(found[organisation], nl=False)


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


def _shown(at: datetime | None) -> str:
    return "-" if at is None else at.isoformat(timespec="seconds")
