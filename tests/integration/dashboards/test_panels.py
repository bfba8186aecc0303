"""What single panels say where something was not heard, and of windows and sums that are not the usual ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards import datasource
from dashboards.macros import Window, expand
from tests.integration.dashboards import world
from veldwatch.model.identifiers import DeviceId, SeriesId
from veldwatch.model.register import Device, Profile, Site
from veldwatch.storage import partitions, register
from veldwatch.storage.connection import Connection

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 2, tzinfo=UTC)


def _device(connection: Connection, name: str, *, kind: str = "meter", expected: timedelta = HOUR / 4) -> DeviceId:
    """Register a device of the zone `north` of `kasama`; inlets are those whose name says so."""
    organisation = register.ensure_organisation(connection, "kasama")
    site = register.ensure_site(connection, Site(organisation_id=organisation, slug="north", name="North"))
    profile = register.ensure_profile(
        connection,
        Profile(slug=f"{kind}-{int(expected.total_seconds())}", name=kind, kind=kind, expected_interval=expected),
    )
    device = register.ensure_device(
        connection,
        Device(organisation_id=organisation, external_id=name, name=name, source="t", profile_id=profile, site_id=site),
    )
    connection.execute(
        "UPDATE device SET status = 'active', supplies_site = name ~ 'inlet',"
        " customers = CASE WHEN name ~ 'meter' THEN 1 END WHERE id = %s",
        (device,),
    )
    return device


def _series(
    connection: Connection,
    device: DeviceId,
    metric: str,
    unit: str,
    values: Mapping[datetime, float],
    *,
    kind: str = "gauge",
) -> SeriesId:
    found = register.ensure_series(connection, [(device, metric, unit)])[device, metric].series_id
    connection.execute("UPDATE series SET kind = %s WHERE id = %s", (kind, found))
    connection.commit()
    world.write(connection, found, values.items(), metric)
    return found


def _times(since: datetime, until: datetime, every: timedelta = HOUR / 4) -> list[datetime]:
    return [since + n * every for n in range(int((until - since) / every))]


def _ask(
    connection: Connection,
    dashboard: str,
    query: str,
    since: datetime,
    until: datetime,
    *,
    interval: timedelta = timedelta(minutes=1),
    terms: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    values = {"organisation": ["kasama"], "site": ["north"], "night_zone": ["UTC"], "tracker": []}
    sql = expand(datasource.sql(dashboard, query, terms), Window(since=since, until=until, interval=interval), values)
    cursor = connection.execute(sql.encode())
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_a_strip_reaches_to_the_end_of_the_window_wherever_its_stretches_begin(connection: Connection) -> None:
    """Stretches of two hours begin at even hours; the window at 01:30 and ends at 08:15, early in one."""
    device = _device(connection, "logger", kind="sensor")
    since, until = START + 1.5 * HOUR, START + 8.25 * HOUR
    partitions.ensure(connection, "contact", START, until)
    connection.execute(
        "INSERT INTO contact (received_at, device_id, messages) VALUES (%s, %s, 1)", (START + 8.1 * HOUR, device)
    )
    heard = [(row["time"], row["heard"]) for row in _ask(connection, "site", "contacts", since, until)]
    assert heard == [(since, 0), *((START + n * HOUR, int(n == 8)) for n in (2, 4, 6, 8))]


def test_a_strip_of_movement_reaches_to_the_end_of_the_window(connection: Connection) -> None:
    device = _device(connection, "collar", kind="tracker")
    values = {"organisation": ["kasama"], "tracker": [str(device)]}
    window = Window(since=START + 1.5 * HOUR, until=START + 8.25 * HOUR, interval=timedelta(minutes=1))
    sql = expand(datasource.sql("wildlife", "movement"), window, values)
    times = [row[0] for row in connection.execute(sql.encode()).fetchall()]
    assert times == [window.since, *(START + n * HOUR for n in (2, 4, 6, 8))]


FILL = {"chosen": "{{in_sites s}}", "most": "20"}


def test_a_level_counts_for_a_day_as_a_pressure_does(connection: Connection) -> None:
    device = _device(connection, "reservoir", kind="sensor")
    connection.execute(
        "INSERT INTO profile_metric (profile_id, metric, unit, maximum) SELECT id, 'level', 'm', 5 FROM profile"
    )
    _series(connection, device, "level", "m", {START: 2.0})
    _series(connection, device, "pressure", "bar", {START: 3.0})
    for after, fill, pressure in ((23 * HOUR, [40.0], 3.0), (25 * HOUR, [], None)):
        window = (START - HOUR, START + after)
        assert [row["fill"] for row in _ask(connection, "shared", "fill", *window, terms=FILL)] == fill
        assert _ask(connection, "water", "lowest_pressure", *window) == [{"pressure": pressure}]


@pytest.mark.parametrize(("customers", "told"), [(2, 0.0), (None, None)])
def test_no_outage_is_no_minute_without_supply(
    connection: Connection, customers: int | None, told: float | None
) -> None:
    """Unknown only where no customer has a meter."""
    meter = _device(connection, "meter")
    connection.execute("UPDATE device SET customers = %s", (customers,))
    _series(connection, meter, "energy", "kW.h", {START: 1.0}, kind="counter")
    rows = _ask(connection, "electricity", "reliability", START, START + DAY)
    assert rows == [{"name": "SAIDI, minutes", "value": told}, {"name": "SAIFI", "value": told}]
