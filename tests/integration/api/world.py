"""A small world to be read out: a water utility and a wildlife agency, written as intake and the engine write."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
from psycopg.types.json import Jsonb

from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId
from veldwatch.model.register import Device, OrganisationKind, Profile, Site
from veldwatch.storage import log, partitions, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.rules import save_rule
from veldwatch.storage.tokens import Role, create_token
from veldwatch.wire.rule_document import parse_rule

BEGIN = datetime(2026, 11, 1, 10, tzinfo=UTC)
HOSTILE_NAME = "<img src=x onerror=alert(1)>"
AREA = {"type": "Polygon", "coordinates": [[[31.0, -10.5], [31.5, -10.5], [31.5, -10.0], [31.0, -10.5]]]}
RULE = {
    "id": "water.low-pressure",
    "title": "Pressure is too low",
    "severity": "major",
    "select": {"organisation": "demo-water"},
    "condition": {"kind": "threshold", "metric": "pressure", "below": 1.5},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was made, and tokens that see it."""

    water: OrganisationId
    wildlife: OrganisationId
    meter: DeviceId
    logger: DeviceId
    collar: DeviceId
    volume: SeriesId
    pressure: SeriesId
    tokens: dict[str, str]


def build(connection: Connection) -> World:
    """Register organisations, sites, devices and series, and make a token of each kind; committed."""
    water = register.ensure_organisation(connection, "demo-water", "Kasama Hills", OrganisationKind.UTILITY)
    wildlife = register.ensure_organisation(connection, "demo-wildlife", "Reserve", OrganisationKind.AGENCY)
    reserve = Site(organisation_id=wildlife, slug="reserve", name="Reserve", kind="reserve", geometry=AREA)
    register.ensure_site(connection, reserve)
    town = register.ensure_site(connection, Site(organisation_id=water, slug="town", name="Town", geometry=AREA))
    upper = register.ensure_site(connection, Site(organisation_id=water, slug="upper", name="Upper", parent_id=town))
    profile = register.ensure_profile(
        connection, Profile(slug="meter", name="Meter", kind="meter", expected_interval=timedelta(minutes=15))
    )
    meter = register.ensure_device(
        connection,
        Device(
            organisation_id=water,
            external_id="m-1",
            source="veldwatch",
            name=HOSTILE_NAME,
            profile_id=profile,
            site_id=upper,
            longitude=31.2,
            latitude=-10.2,
            tags=("pilot",),
        ),
    )
    logger = register.ensure_device(connection, Device(organisation_id=water, external_id="p-1", source="veldwatch"))
    collar = register.ensure_device(connection, Device(organisation_id=wildlife, external_id="c-1", source="veldwatch"))
    series = register.ensure_series(connection, [(meter, "volume", "m3"), (logger, "pressure", "bar")])
    tokens = {
        "operator": create_token(connection, name="control room", role=Role.OPERATOR),
        "viewer": create_token(connection, name="wall screen", role=Role.VIEWER),
        "water": create_token(connection, name="water desk", role=Role.OPERATOR, organisation="demo-water"),
        "wildlife": create_token(connection, name="rangers", role=Role.OPERATOR, organisation="demo-wildlife"),
        "wildlife viewer": create_token(connection, name="guest", role=Role.VIEWER, organisation="demo-wildlife"),
    }
    connection.commit()
    return World(
        water=water,
        wildlife=wildlife,
        meter=meter,
        logger=logger,
        collar=collar,
        volume=series[meter, "volume"].series_id,
        pressure=series[logger, "pressure"].series_id,
        tokens=tokens,
    )


def add_readings(connection: Connection, series: SeriesId, values: Iterable[tuple[datetime, float]]) -> None:
    """Write readings that are new, with the log's batch, as intake does; committed."""
    rows = np.array([(series, _us(at), _us(at + timedelta(seconds=5)), value, 0) for at, value in values], log.READINGS)
    partitions.ensure_for(connection, "reading_raw", rows["observed_at"])
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, value)"
            " VALUES (to_timestamp(%s / 1e6), %s, 5, %s)",
            [(row["observed_at"].item(), series, row["value"].item()) for row in rows],
        )
        log.append(connection, log.LogBatch(readings=rows))
    connection.commit()


def add_fixes(connection: Connection, device: DeviceId, fixes: Iterable[tuple[datetime, float, float]]) -> None:
    """Write fixes that are new, with the log's batch; committed."""
    nothing = float("nan")
    rows = np.array(
        [
            (device, _us(at), _us(at), longitude, latitude, nothing, nothing, nothing, nothing, 0)
            for at, longitude, latitude in fixes
        ],
        log.POSITIONS,
    )
    partitions.ensure_for(connection, "position_raw", rows["observed_at"])
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO position_raw (observed_at, device_id, delay_seconds, longitude, latitude)"
            " VALUES (to_timestamp(%s / 1e6), %s, 0, %s, %s)",
            [(row["observed_at"].item(), device, row["longitude"].item(), row["latitude"].item()) for row in rows],
        )
        log.append(connection, log.LogBatch(positions=rows))
    connection.commit()


def add_contact(connection: Connection, device: DeviceId, received_at: datetime, *, online: bool = True) -> None:
    """Write that a device was heard, with the log's batch; committed."""
    partitions.ensure(connection, "contact", received_at, received_at)
    at = _us(received_at)
    with connection.transaction():
        connection.execute(
            "INSERT INTO contact (received_at, device_id, messages, first_observed_at, last_observed_at, online)"
            " VALUES (%s, %s, 1, %s, %s, %s)",
            (received_at, device, received_at, received_at, online),
        )
        log.append(connection, log.LogBatch(contacts=np.array([(device, at, 1, at, at, online)], log.CONTACTS)))
    connection.commit()


def add_event(connection: Connection, device: DeviceId, at: datetime, kind: str, attributes: dict[str, object]) -> None:
    """Write an event; committed."""
    partitions.ensure(connection, "event_raw", at, at)
    connection.execute(
        "INSERT INTO event_raw (observed_at, device_id, kind, digest, delay_seconds, attributes)"
        " VALUES (%s, %s, %s, %s, 1, %s)",
        (at, device, kind, uuid4().bytes, Jsonb(attributes)),
    )
    connection.commit()


def add_alert(
    connection: Connection,
    *,
    device: DeviceId,
    organisation: OrganisationId,
    opened_at: datetime,
    state: str = "firing",
    severity: str = "major",
    late: bool = False,
) -> UUID:
    """Write an alert of `RULE` with its first transition and the wake-up, as the engine does; committed."""
    save_rule(connection, parse_rule(RULE), "tests")
    alert_id = uuid4()
    connection.execute(
        "INSERT INTO alert (id, rule_version_id, organisation_id, device_id, subject, severity, state, opened_at,"
        " fired_at, resolved_at, recorded_at, late, value, summary, evidence)"
        " SELECT %s, v.id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1.2, 'pressure 1.2 bar', %s"
        " FROM rule_version v JOIN rule r ON r.id = v.rule_id WHERE r.slug = %s AND v.active",
        (
            alert_id,
            organisation,
            device,
            f"device:{device}",
            severity,
            state,
            opened_at,
            opened_at,
            opened_at + timedelta(hours=1) if state == "resolved" else None,
            opened_at,
            late,
            Jsonb({"readings": []}),
            RULE["id"],
        ),
    )
    connection.execute(
        "INSERT INTO alert_transition (alert_id, kind, at) VALUES (%s, 'firing', %s)", (alert_id, opened_at)
    )
    connection.execute("SELECT pg_notify('veldwatch_alert', %s)", (str(alert_id),))
    connection.commit()
    return alert_id


def _us(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def raise_alert(connection: Connection, made: World, minutes: float, litres: float, severity: str = "major") -> UUID:
    """Write an alert that began so many minutes ago, with its impact, and put it into its incident."""
    now = datetime.now(UTC)
    at = now - timedelta(minutes=minutes)
    alert = add_alert(
        connection, device=made.meter, organisation=made.water, opened_at=at, severity=severity, state="firing"
    )
    connection.execute(
        "UPDATE alert SET impact_water = %s, impact_people = 300, impact_missing = '{a tariff for water}'"
        " WHERE id = %s",
        (litres, alert),
    )
    gather_alerts(connection, [alert], now)
    connection.commit()
    return alert
