"""A small world in the database, so that every panel has something to show: also a name with a quote in it.

Readings: hourly for 35 days and every minute of the last half hour before `NOW`, with one hole of a day.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from uuid import UUID

import numpy as np

from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId, SiteId
from veldwatch.model.register import Device, DeviceStatus, Profile, Site
from veldwatch.storage import log, partitions, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.consumption_rollups import judge_new
from veldwatch.storage.rollups import roll_up

NOW = datetime.now(UTC).replace(microsecond=0)
HOLE = (NOW - timedelta(days=3), NOW - timedelta(days=2))
_DAYS = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was made."""

    meter: DeviceId
    tracker: DeviceId
    volume: SeriesId
    alert: UUID


def times() -> list[datetime]:
    """Give the times of the readings, oldest first."""
    hourly = [NOW - timedelta(hours=hours) for hours in range(_DAYS * 24, 0, -1)]
    minutely = [NOW - timedelta(minutes=minutes) for minutes in range(30, 0, -1)]
    return [at for at in hourly + minutely if not HOLE[0] < at < HOLE[1]]


def make(connection: Connection) -> World:
    """Make all of it, committed."""
    utility = register.ensure_organisation(connection, "demo-water")
    agency = register.ensure_organisation(connection, "demo-wildlife")
    connection.execute("UPDATE organisation SET name = $$O'Brien Water$$ WHERE id = %s", (utility,))
    site = register.ensure_site(connection, Site(organisation_id=utility, slug="north", name="O'Brien's north"))
    made = {name: _device(connection, utility, site, name, kind) for name, kind in _UTILITY_DEVICES}
    tracker = _device(connection, agency, None, "collar", "tracker")
    others = {name: _device(connection, agency, None, name, "sensor") for name in ("energiser", "camera")}
    series = _series(connection, made, tracker)
    recent = _recent_series(connection, {**made, **others})
    _device(connection, utility, site, "never heard", "sensor")
    connection.commit()
    for name, (identifier, value) in series.items():
        write(connection, identifier, ((at, value(position)) for position, at in enumerate(times())), name)
    for name, (identifier, value) in recent.items():
        write(connection, identifier, ((at, value(position)) for position, at in enumerate(times()[-80:])), name)
    for statement in _PLACES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO validated_reading (series_id, observed_at, value, method, author, reason)"
        " SELECT id, %s, 80, 'manual', 'desk', 'as read off' FROM series WHERE metric = 'battery' LIMIT 1",
        (times()[-1],),
    )
    # long before anything of what is here
    connection.execute(
        "INSERT INTO retention_mark (what, source_id, dropped_before) SELECT 'hourly', id, '2001-01-01' FROM series"
    )
    _moves(connection, tracker)
    _contacts(connection, [*made.values(), tracker])
    _roll_up(connection)
    connection.execute("UPDATE batch SET committed_at = %s", (NOW - timedelta(minutes=5),))
    alert = _alert(connection, utility, made["O'Brien"], site)
    # as the server's own daemon does where data has come for a while
    connection.execute("ANALYZE")
    connection.commit()
    return World(meter=made["O'Brien"], tracker=tracker, volume=series["volume"][0], alert=alert)


_UTILITY_DEVICES = (
    ("O'Brien", "meter"),
    ("power", "meter"),
    ("reservoir", "sensor"),
    ("inlet", "meter"),
    ("feeder", "meter"),
    ("prepaid", "meter"),
    ("sonde", "sensor"),
    ("station", "sensor"),
    ("gateway", "gateway"),
)
_AREA = (
    '{"type": "Polygon", "coordinates": [[[31.1, -10.2], [31.2, -10.2], [31.2, -10.3], [31.1, -10.2]],'
    " [[31.13, -10.21], [31.15, -10.21], [31.15, -10.23], [31.13, -10.21]]]}"
)
_PLACES = (
    f"UPDATE site SET geometry = '{_AREA}', kind = 'district_metered_area', people = 10, customers = 2",
    "UPDATE organisation SET currency = 'ZMW', water_tariff = 4.5, energy_tariff = 2 WHERE slug = 'demo-water'",
    "UPDATE device SET supplies_site = true WHERE external_id IN ('inlet', 'feeder', 'reservoir')",
    "UPDATE device SET tags = '{capacity=150}' WHERE external_id = 'feeder'",
    "UPDATE device SET customers = 1 WHERE external_id IN ('O''Brien', 'power', 'prepaid')",
    """
    UPDATE device SET gateway_id = (SELECT id FROM device WHERE external_id = 'gateway')
    WHERE external_id IN ('O''Brien', 'power')
    """,
    """
    INSERT INTO site (organisation_id, slug, name, kind, geometry)
    SELECT id, 'fence', 'Fence', 'fence',
           '{"type": "LineString", "coordinates": [[31.2, -10.2], [31.3, -10.2], [31.3, -10.3]]}'
    FROM organisation WHERE slug = 'demo-wildlife'
    """,
    """
    INSERT INTO profile_metric (profile_id, metric, unit, maximum)
    SELECT id, 'level', 'm', 5 FROM profile WHERE slug IN ('p-sensor', 'p-tracker')
    """,
    """
    INSERT INTO subject (organisation_id, slug, name, kind, species)
    SELECT organisation_id, 'amber', 'Amber', 'animal', 'Loxodonta africana' FROM device WHERE external_id = 'collar'
    """,
    """
    INSERT INTO deployment (device_id, subject_id, during)
    SELECT d.id, s.id, '[2026-01-01,)' FROM device d, subject s WHERE d.external_id = 'collar'
    """,
)


def _device(
    connection: Connection, organisation: OrganisationId, site: SiteId | None, name: str, kind: str
) -> DeviceId:
    profile = register.ensure_profile(
        connection, Profile(slug=f"p-{kind}", name=kind, kind=kind, expected_interval=timedelta(hours=1))
    )
    return register.ensure_device(
        connection,
        Device(
            organisation_id=organisation,
            external_id=name,
            name=name,
            source="veldwatch",
            profile_id=profile,
            site_id=site,
            status=DeviceStatus.ACTIVE,
            longitude=31.18,
            latitude=-10.21,
        ),
    )


Shape = Callable[[int], float]


def _series(connection: Connection, made: dict[str, DeviceId], tracker: DeviceId) -> dict[str, tuple[SeriesId, Shape]]:
    wanted: list[tuple[str, DeviceId, str, Shape]] = [
        ("flow_rate", made["O'Brien"], "L/h", lambda n: 5.0 + n % 24),
        ("volume", made["O'Brien"], "m3", lambda n: n * 0.1),
        ("pressure", made["O'Brien"], "bar", lambda _n: 3.0),
        ("power", made["power"], "W", lambda n: 100.0 * (n % 24)),
        ("energy", made["power"], "kW.h", lambda n: n * 0.5),
        ("voltage", made["power"], "V", lambda _n: 230.0),
        ("level", made["reservoir"], "m", lambda n: 2 + (n % 10) / 10),
        ("inflow", made["reservoir"], "L/s", lambda n: float(n % 5)),
        ("outflow", made["reservoir"], "L/s", lambda n: float(n % 3)),
        ("battery", tracker, "%", lambda _n: 80.0),
    ]
    known = register.ensure_series(connection, [(device, metric, unit) for metric, device, unit, _ in wanted])
    connection.execute("UPDATE series SET kind = 'counter' WHERE metric IN ('volume', 'energy')")
    return {metric: (known[device, metric].series_id, shape) for metric, device, _, shape in wanted}


def _recent_series(connection: Connection, made: dict[str, DeviceId]) -> dict[str, tuple[SeriesId, Shape]]:
    """Make series of which the last readings are enough."""
    wanted: list[tuple[str, str, str, Shape]] = [
        ("inlet", "volume", "m3", lambda n: n * 0.5),
        ("inlet", "flow_rate", "m3/h", lambda n: 2.0 + n % 6),
        ("feeder", "energy", "kW.h", lambda n: n * 1.5),
        ("feeder", "power", "kW", lambda n: 40.0 + n % 10),
        ("prepaid", "energy", "kWh", lambda n: n * 0.3),
        ("prepaid", "credit", "kWh", lambda n: 30.0 - n * 0.2),
        ("sonde", "turbidity", "[FNU]", lambda _n: 0.4),
        ("sonde", "free_chlorine", "mg/L", lambda _n: 0.5),
        ("sonde", "ph", "[pH]", lambda _n: 7.4),
        ("sonde", "conductivity", "uS/cm", lambda _n: 420.0),
        ("sonde", "dissolved_oxygen", "mg/L", lambda _n: 8.0),
        ("station", "temperature", "Cel", lambda n: 20.0 + n % 8),
        ("station", "humidity", "%RH", lambda _n: 60.0),
        ("station", "wind_speed", "km/h", lambda n: 10.0 + n % 5),
        ("station", "rain", "mm", lambda n: 600.0 + n if n < 40 else n - 40.0),  # the gauge begins anew
        ("station", "pm2_5", "ug/m3", lambda _n: 9.0),
        ("gateway", "rssi", "dBm", lambda _n: -71.0),
        ("energiser", "fence_voltage", "kV", lambda _n: 7.0),
    ]
    known = register.ensure_series(connection, [(made[name], metric, unit) for name, metric, unit, _ in wanted])
    connection.execute("UPDATE series SET kind = 'counter' WHERE metric IN ('volume', 'energy')")
    return {f"{name} {metric}": (known[made[name], metric].series_id, shape) for name, metric, _, shape in wanted}


def write(connection: Connection, series: SeriesId, rows: Iterable[tuple[datetime, float]], name: str = "") -> None:
    """Write readings that are new, and the log's batch with them."""
    listed = list(rows)
    assert listed, name
    readings = np.array(
        [(series, microseconds(at), microseconds(at) + 5_000_000, value, 0) for at, value in listed], log.READINGS
    )
    partitions.ensure_for(connection, "reading_raw", readings["observed_at"])
    with connection.transaction():
        connection.execute(
            "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, quality, value)"
            " SELECT at, %s, 5, 0, value FROM unnest(%s::timestamptz[], %s::float8[]) AS r (at, value)",
            (series, [at for at, _ in listed], [value for _, value in listed]),
        )
        log.append(connection, log.LogBatch(readings=readings))


def microseconds(time: datetime) -> int:
    """Count microseconds since 1970."""
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def _moves(connection: Connection, tracker: DeviceId) -> None:
    fixes = times()[-24 * 20 :]
    partitions.ensure_for(connection, "position_raw", np.array([microseconds(at) for at in fixes], "<i8"))
    partitions.ensure_for(connection, "event_raw", np.array([microseconds(NOW - timedelta(minutes=9))], "<i8"))
    connection.execute(
        "INSERT INTO position_raw (observed_at, device_id, delay_seconds, longitude, latitude)"
        " SELECT at, %s, 60, 31.2 + n / 1000.0, -10.2 + n / 2000.0"
        " FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS p (at, n)",
        (tracker, fixes),
    )
    connection.execute(
        "INSERT INTO event_raw (observed_at, device_id, kind, digest, delay_seconds)"
        " SELECT %s, id, 'tamper', '\\x00', 1 FROM device",
        (NOW - timedelta(minutes=9),),
    )
    connection.execute(
        "INSERT INTO event_raw (observed_at, device_id, kind, digest, delay_seconds, attributes)"
        " SELECT %s, id, 'detection', '\\x01', 1, %s FROM device WHERE external_id = 'camera'",
        (NOW - timedelta(minutes=9), '{"species": "lion", "count": 2}'),
    )


def _contacts(connection: Connection, devices: list[DeviceId]) -> None:
    heard = [at + timedelta(seconds=5) for at in times()]
    partitions.ensure_for(connection, "contact", np.array([microseconds(at) for at in heard], "<i8"))
    connection.execute(
        "INSERT INTO contact (received_at, device_id, messages, first_observed_at, last_observed_at)"
        " SELECT at, d, 2, at - interval '5 seconds', at - interval '5 seconds'"
        " FROM unnest(%s::timestamptz[]) AS c (at), unnest(%s::integer[]) AS h (d)",
        (heard, devices),
    )


def _roll_up(connection: Connection) -> None:
    connection.commit()
    roll_up_all(connection)


def roll_up_all(connection: Connection) -> None:
    """Bring the rollups up to the last batch."""
    _catch_up(connection, roll_up, "rollups")
    _catch_up(connection, judge_new, "consumption")


def _catch_up(connection: Connection, take: Callable[[Connection], object], consumer: str) -> None:
    """Let a consumer read to the last batch, also while others hold transactions open on the same server."""
    deadline = monotonic() + 20
    while monotonic() < deadline:
        take(connection)
        row = connection.execute(
            "SELECT count(*) FROM batch b LEFT JOIN log_cursor c ON c.consumer = %s"
            " WHERE c.id IS NULL OR (b.xid, b.id) > (c.xid, c.id)",
            (consumer,),
        ).fetchone()
        connection.commit()
        if row == (0,):
            return
        sleep(0.02)
    raise AssertionError(f"{consumer} did not catch up within 20 s: somebody holds a transaction open on this server")


_DEFINITION = {"title": "Leak at O'Brien's", "severity": "major"}


def _alert(connection: Connection, organisation: int, device: DeviceId, site: int) -> UUID:
    version, alert, outbox, dead, incident = (UUID(int=number) for number in (1, 2, 3, 4, 5))
    opened = NOW - timedelta(minutes=10)
    parameters = {
        "version": version, "alert": alert, "outbox": outbox, "definition": json.dumps(_DEFINITION), "opened": opened,
        "organisation": organisation, "device": device, "site": site, "dead": dead, "incident": incident,
    }  # fmt: skip  # one name a line says no more
    for statement in _ALERT_STATEMENTS:
        connection.execute(statement, parameters)
    return alert


_ALERT_STATEMENTS = (
    "INSERT INTO rule (slug) VALUES ('leak')",
    "INSERT INTO rule_version (id, rule_id, version, definition) SELECT %(version)s, id, 1, %(definition)s FROM rule",
    """
    INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, subject, severity, state, opened_at,
                       fired_at, recorded_at, summary)
    VALUES (%(alert)s, %(version)s, %(organisation)s, %(device)s, %(site)s, 'series:1', 'major', 'firing', %(opened)s,
            %(opened)s, %(opened)s, 'it''s leaking')
    """,
    """
    INSERT INTO alert (id, rule_version_id, organisation_id, device_id, subject, severity, state, opened_at, fired_at,
                       resolved_at, recorded_at, acknowledged_at, acknowledged_by, summary)
    SELECT gen_random_uuid(), %(version)s, d.organisation_id, d.id, 'device:' || d.id, 'minor', 'resolved', %(opened)s,
           %(opened)s, %(opened)s + interval '5 minutes', %(opened)s, %(opened)s + interval '1 minute', 'eve',
           'left the reserve'
    FROM device d WHERE d.external_id = 'collar'
    """,
    """
    INSERT INTO alert_transition (alert_id, kind, at, recorded_at)
    VALUES (%(alert)s, 'firing', %(opened)s, %(opened)s)
    """,
    "INSERT INTO receiver (slug, channel, address) VALUES ('duty', 'email', 'duty@example.org')",
    """
    INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, next_attempt_at, created_at)
    SELECT %(outbox)s, t.id, t.alert_id, r.id, '{}', %(opened)s, %(opened)s FROM alert_transition t, receiver r
    """,
    """
    INSERT INTO attempt (outbox_id, number, at, outcome, detail)
    VALUES (%(outbox)s, 1, %(opened)s, 'temporary_failure', '451 later')
    """,
    """
    INSERT INTO quarantine (digest, received_at, last_received_at, source, topic, payload, reason, detail, organisation,
                            device)
    VALUES ('\\x00', %(opened)s, %(opened)s, 'veldwatch', 'a/b', 'x', 'malformed_payload', 'not JSON', 'demo-water',
            'O''Brien')
    """,
    "INSERT INTO log_cursor (consumer, xid, id) VALUES ('slow', '3', 0)",
    """
    INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, subject, severity, state, opened_at,
                       fired_at, recorded_at, summary)
    SELECT %(dead)s, %(version)s, d.organisation_id, d.id, d.site_id, 'device:' || d.id, 'critical', 'firing',
           %(opened)s, %(opened)s, %(opened)s, 'feeder is dead'
    FROM device d WHERE d.external_id = 'feeder'
    """,
    """
    INSERT INTO alert (id, rule_version_id, organisation_id, device_id, subject, severity, state, opened_at, fired_at,
                       recorded_at, summary)
    SELECT gen_random_uuid(), %(version)s, d.organisation_id, d.id, 'device:' || d.id, 'info', 'firing', %(opened)s,
           %(opened)s, %(opened)s, 'fence is down'
    FROM device d WHERE d.external_id = 'energiser'
    """,
    """
    INSERT INTO incident (id, founder_id, created_at, updated_at)
    VALUES (%(incident)s, %(dead)s, %(opened)s, %(opened)s)
    """,
    """
    INSERT INTO incident_part (incident_id, organisation_id, title, severity, state, opened_at, fired_at, alerts,
                               open_alerts, devices, lead_alert_id, site_id, longitude, latitude, impact_customers)
    SELECT %(incident)s, a.organisation_id, 'Feeder', 'critical', 'open', %(opened)s, %(opened)s, 1, 1, 1, a.id,
           a.site_id, 31.18, -10.21, 2
    FROM alert a WHERE a.id = %(dead)s
    """,
    "UPDATE alert SET incident_id = %(incident)s, incident_head = true, impact_customers = 2 WHERE id = %(dead)s",
    """
    INSERT INTO interruption (organisation_id, kind, begins_at, ends_at, title, author, created_at)
    VALUES (%(organisation)s, 'planned', %(opened)s, %(opened)s + interval '1 hour', 'Works', 'eve', %(opened)s)
    """,
    "INSERT INTO interruption_place (interruption_id, site_id) SELECT id, %(site)s FROM interruption",
)
