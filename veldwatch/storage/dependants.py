"""Settings that impact is estimated by: tariffs of organisations and sites, who depends on sites and devices.

`scope` is the id of the one organisation that the asker may see (None: all). A change estimates the alerts of the
organisation anew that hold, with their incidents, in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from veldwatch.errors import NotFound, RequestInvalid
from veldwatch.model.dependants import of_device
from veldwatch.storage.alert_history import take_turn
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.impacts import estimate_alerts, open_alerts_of, read_places
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.pool import Row, fetch_row
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("dependants")


def get_tariffs(connection: Connection, scope: int | None, organisation: str) -> Row:
    """Give `organisation`, `currency`, `water_tariff` (a cubic metre) and `energy_tariff` (a kilowatt hour).

    Raises:
        NotFound: no such organisation, or another one than the asker's.
    """
    row = fetch_row(connection, _QUERIES["tariffs"], {"organisation": organisation, "scope": scope})
    if row is None:
        raise NotFound(f"no organisation {organisation!r} (list them with GET /v1/organisations)")
    return row


def set_tariffs(
    connection: Connection, scope: int | None, organisation: str, said: Mapping[str, object], now: datetime
) -> Row:
    """Say what water and energy cost: `currency`, `water_tariff`, `energy_tariff`; None: not said.

    Raises:
        NotFound: no such organisation, or another one than the asker's.
        RequestInvalid: a tariff without a currency.
    """
    row = get_tariffs(connection, scope, organisation)
    if said["currency"] is None and (said["water_tariff"] is not None or said["energy_tariff"] is not None):
        raise RequestInvalid("missing currency (expected three letters such as ZMW, with a tariff)")
    _set(connection, "set_tariffs", row["id"], said)
    estimate_open(connection, row["id"], now)
    return get_tariffs(connection, scope, organisation)


def get_site(connection: Connection, scope: int | None, site_id: int) -> Row:
    """Give what was said of a site, with `total_people` and `total_customers` of it and all below.

    Raises:
        NotFound: no such site, or another organisation's.
    """
    row = fetch_row(connection, _QUERIES["site"], {"id": site_id, "scope": scope})
    if row is None:
        raise NotFound(f"no site {site_id} (list them with GET /v1/sites)")
    places = read_places(connection, {row["organisation_id"]})
    totals = {"total_people": places.people.get(site_id), "total_customers": places.customers.get(site_id)}
    return {**row, **totals}


def set_site(connection: Connection, scope: int | None, site_id: int, said: Mapping[str, object], now: datetime) -> Row:
    """Say who depends on a site and which tariffs differ there; None: not said.

    Raises:
        NotFound: no such site, or another organisation's.
    """
    row = get_site(connection, scope, site_id)
    _set(connection, "set_site", site_id, said)
    estimate_open(connection, row["organisation_id"], now)
    return get_site(connection, scope, site_id)


def get_device(connection: Connection, scope: int | None, device_id: int) -> Row:
    """Give what was said of a device, with `total_people` and `total_customers` who depend on it.

    Raises:
        NotFound: no such device, or another organisation's.
    """
    row = fetch_row(connection, _QUERIES["device"], {"id": device_id, "scope": scope})
    if row is None:
        raise NotFound(f"no device {device_id} (list them with GET /v1/devices)")
    places = read_places(connection, {row["organisation_id"]})
    site = row["site_id"]
    return {
        **row,
        "total_people": of_device(row["people"], places.people.get(site), supplies=row["supplies_site"]),
        "total_customers": of_device(row["customers"], places.customers.get(site), supplies=row["supplies_site"]),
    }


def set_device(
    connection: Connection, scope: int | None, device_id: int, said: Mapping[str, object], now: datetime
) -> Row:
    """Say who depends on a device; None: not said.

    Raises:
        NotFound: no such device, or another organisation's.
    """
    row = get_device(connection, scope, device_id)
    _set(connection, "set_device", device_id, said)
    estimate_open(connection, row["organisation_id"], now)
    return get_device(connection, scope, device_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Initial:
    """What somebody who sets an organisation up says, as far as nobody has said anything else.

    Attributes:
        sites: slug to people and customers.
    """

    organisation: str
    currency: str | None = None
    water_tariff: float | None = None
    energy_tariff: float | None = None
    sites: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict[str, tuple[int | None, int | None]])


def say_initially(connection: Connection, said: Initial, now: datetime) -> None:
    """Say tariffs and dependants of sites; what was said before of the organisation or of a site stays."""
    row = get_tariffs(connection, None, said.organisation)
    tariffs = {"currency": said.currency, "water_tariff": said.water_tariff, "energy_tariff": said.energy_tariff}
    sites = {
        "sites": list(said.sites),
        "people": [people for people, _ in said.sites.values()],
        "customers": [customers for _, customers in said.sites.values()],
    }
    with translated_errors():
        changed = connection.execute(_QUERIES["initial_tariffs"], {**tariffs, "id": row["id"]}).rowcount
        changed += connection.execute(_QUERIES["initial_sites"], {**sites, "id": row["id"]}).rowcount
    if changed:
        estimate_open(connection, row["id"], now)


def find_site(connection: Connection, organisation: str, site: str) -> int:
    """Give a site's id.

    Raises:
        NotFound: the organisation has none of that name.
    """
    row = fetch_row(connection, _QUERIES["find_site"], {"organisation": organisation, "site": site})
    if row is None:
        raise NotFound(f"no site {site!r} of organisation {organisation!r} (say which with --organisation)")
    return row["id"]


def estimate_open(connection: Connection, organisation_id: int, now: datetime) -> None:
    """Estimate anew what the alerts of an organisation are about that hold, with their incidents."""
    take_turn(connection)
    concerned = open_alerts_of(connection, organisation_id)
    gather_alerts(connection, estimate_alerts(connection, concerned, now), now)


def _set(connection: Connection, query: str, number: int, said: Mapping[str, object]) -> None:
    with translated_errors():
        connection.execute(_QUERIES[query], {**said, "id": number})
