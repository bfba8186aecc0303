"""`veldwatch register tariffs` and `dependants`: what impact is estimated by."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from veldwatch.config import load_settings
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage import dependants, register
from veldwatch.storage.connection import Connection, connect

Organisation = Annotated[str, typer.Option(help="slug; unset: the default organisation")]
Water = Annotated[float | None, typer.Option(min=0, help="for a cubic metre; unset: not said")]
Energy = Annotated[float | None, typer.Option(min=0, help="for a kilowatt hour; unset: not said")]
People = Annotated[int | None, typer.Option(min=0, help="who depend on it; unset: not said")]
Customers = Annotated[int | None, typer.Option(min=0, help="connections that are billed; unset: not said")]


def tariffs(
    organisation: Annotated[str, typer.Argument(help="slug")],
    currency: Annotated[str | None, typer.Option(help="ISO 4217, such as ZMW; unset: not said")] = None,
    water: Water = None,
    energy: Energy = None,
) -> None:
    """Say what water and energy cost in an organisation; all of it, as it is to be from now on."""
    if currency is not None and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise ConfigurationInvalid(f"bad currency: {currency!r} (expected three capital letters such as ZMW)")
    said = {"currency": currency, "water_tariff": water, "energy_tariff": energy}
    with _connection() as connection:
        row = dependants.set_tariffs(connection, None, organisation, said, datetime.now(UTC))
    cost = [
        f"{row[f'{what}_tariff'] or '-'} {row['currency'] or ''}/{unit}"
        for what, unit in (("water", "m3"), ("energy", "kWh"))
    ]
    typer.echo(f"organisation {organisation}: {', '.join(cost)}")


def say_dependants(  # typer makes an option of each
    site: Annotated[str | None, typer.Option(help="slug")] = None,
    device: Annotated[str | None, typer.Option(help="its own identifier")] = None,
    people: People = None,
    customers: Customers = None,
    supplies_site: Annotated[
        bool,
        typer.Option("--supplies-site", help="a device that all of its site depends on: an inlet, a feeder, a pump"),
    ] = False,
    water: Water = None,
    energy: Energy = None,
    organisation: Organisation = "",
) -> None:
    """Say who depends on a site or a device; all of it, as it is to be from now on."""
    if (site is None) == (device is None):
        raise ConfigurationInvalid("whose dependants? (expected --site or --device)")
    if device is not None and (water is not None or energy is not None):
        raise ConfigurationInvalid("a device has no tariffs (expected them with --site)")
    if site is not None and supplies_site:
        raise ConfigurationInvalid("--supplies-site is of a device (expected --device)")
    slug = organisation or load_settings().default_organisation
    said: dict[str, object] = {"people": people, "customers": customers}
    with _connection() as connection:
        if site is not None:
            said |= {"water_tariff": water, "energy_tariff": energy}
            number = dependants.find_site(connection, slug, site)
            row = dependants.set_site(connection, None, number, said, datetime.now(UTC))
        else:
            number = _device(connection, slug, device or "")
            said["supplies_site"] = supplies_site
            row = dependants.set_device(connection, None, number, said, datetime.now(UTC))
    known = [f"{name} {row[f'total_{name}']}" for name in ("people", "customers") if row[f"total_{name}"] is not None]
    typer.echo(f"{site or device}: {', '.join(known) or 'not known'}")


def _device(connection: Connection, organisation: str, device: str) -> int:
    found = register.find_devices(connection, [(organisation, device)])
    if not found:
        raise NotFound(f"no device {device!r} of organisation {organisation!r} (say which with --organisation)")
    return found[organisation, device].device_id


def _connection() -> Connection:
    return connect(load_settings().dsn, application="veldwatch-register")
