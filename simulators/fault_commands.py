"""The commands of `veldwatch simulate` that ask for faults and end them."""

from typing import Annotated

import typer

from simulators.options import wall_clock
from veldwatch.command_line import duration_of
from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS
from veldwatch.storage import simulation
from veldwatch.storage.connection import connect


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
        parameters["duration_seconds"] = duration_of("--duration", duration).total_seconds()
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


def stop_fault(fault: Annotated[int, typer.Argument(help="number, see `veldwatch simulate list`")]) -> None:
    """Ask the running simulators to end a fault."""
    with connect(load_settings().dsn) as connection:
        simulation.request_stop(connection, fault, now=wall_clock())
    typer.echo(f"fault {fault} is to end")


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad --set: {text!r} (expected name=number)") from error
