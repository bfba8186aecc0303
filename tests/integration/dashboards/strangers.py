"""An organisation with a row of each kind, whose texts say whose they are, for tests of what its neighbours can see."""

from datetime import timedelta
from uuid import uuid4

from tests.integration.dashboards.world import NOW, write
from veldwatch.model.identifiers import OrganisationId, SeriesId
from veldwatch.storage import partitions, register
from veldwatch.storage.connection import Connection

# Later than what any rollup of the world was refreshed to: so TimescaleDB's real-time rollups show it, too.
AT = NOW + timedelta(days=3)


def make(connection: Connection, slug: str) -> OrganisationId:
    """Make it, within the transaction that is open; its series are counters, so that there is consumption."""
    organisation = register.ensure_organisation(connection, slug)
    has_rollups = connection.execute("SELECT to_regclass('reading_hourly_rollup') IS NOT NULL").fetchone() == (True,)
    for table in (*_TABLES, *(_ROLLUP_TABLES if has_rollups else ())):
        partitions.ensure(connection, table, AT, AT)
    values = {
        "slug": slug,
        "organisation": organisation,
        "at": AT,
        "alert": uuid4(),
        "version": uuid4(),
        "outbox": uuid4(),
    }
    for statement in _STATEMENTS:
        connection.execute(statement, values)
    series = connection.execute(
        "SELECT s.id FROM series s JOIN device d ON d.id = s.device_id WHERE d.organisation_id = %s", (organisation,)
    ).fetchone()
    assert series is not None
    write(connection, SeriesId(series[0]), [(AT + timedelta(minutes=minute), 4711.25 + minute) for minute in range(5)])
    for statement in _ROLLUPS if has_rollups else ():
        connection.execute(statement, values)
    connection.execute(_CONSUMPTION, values)
    connection.execute(_CONSUMPTION_DAYS, values)
    return organisation


_TABLES = (
    "reading_raw",
    "position_raw",
    "event_raw",
    "contact",
    "consumption_hourly_rollup",
    "consumption_daily_rollup",
)
_ROLLUP_TABLES = ("reading_hourly_rollup", "reading_daily_rollup")
_STATEMENTS = (
    """
    INSERT INTO site (organisation_id, slug, name, people, customers, geometry)
    SELECT %(organisation)s, %(slug)s || '-site', %(slug)s || ' site', 4711, 4711,
           '{"type": "Polygon", "coordinates": [[[47.11, 8], [48, 8], [48, 9], [47.11, 8]]]}'
    """,
    """
    INSERT INTO device (organisation_id, external_id, name, site_id, source, status, longitude, latitude, profile_id)
    SELECT %(organisation)s, %(slug)s || '-device', %(slug)s || ' device', s.id, %(slug)s, 'active', 12.5, 41.5, p.id
    FROM site s, profile p WHERE s.organisation_id = %(organisation)s AND p.slug = 'p-tracker'
    """,
    """
    INSERT INTO subject (organisation_id, slug, name, kind, species)
    VALUES (%(organisation)s, %(slug)s, %(slug)s || ' subject', 'animal', 'Panthera leo')
    """,
    """
    INSERT INTO deployment (device_id, subject_id, during)
    SELECT d.id, s.id, tstzrange(%(at)s, NULL) FROM device d, subject s
    WHERE d.organisation_id = %(organisation)s AND s.organisation_id = %(organisation)s
    """,
    """
    INSERT INTO interruption (organisation_id, kind, begins_at, ends_at, title, author, created_at)
    VALUES (%(organisation)s, 'planned', %(at)s, %(at)s + interval '1 hour', %(slug)s || ' works', %(slug)s, %(at)s)
    """,
    """
    INSERT INTO interruption_place (interruption_id, site_id)
    SELECT i.id, s.id FROM interruption i, site s
    WHERE i.organisation_id = %(organisation)s AND s.organisation_id = %(organisation)s
    """,
    "UPDATE device SET supplies_site = true WHERE organisation_id = %(organisation)s",
    """
    INSERT INTO series (device_id, metric, unit, kind)
    SELECT id, %(slug)s || '-metric', 'm3', 'counter' FROM device WHERE organisation_id = %(organisation)s
    """,
    """
    INSERT INTO validated_reading (series_id, observed_at, value, method, author, reason)
    SELECT s.id, %(at)s, 4711, %(slug)s, %(slug)s, %(slug)s
    FROM series s JOIN device d ON d.id = s.device_id WHERE d.organisation_id = %(organisation)s
    """,
    """
    INSERT INTO retention_mark (what, source_id, dropped_before)
    SELECT 'hourly', s.id, '2002-02-02'
    FROM series s JOIN device d ON d.id = s.device_id WHERE d.organisation_id = %(organisation)s
    """,
    """
    INSERT INTO position_raw (observed_at, device_id, delay_seconds, longitude, latitude)
    SELECT %(at)s, id, 60, 47.11, -8.15 FROM device WHERE organisation_id = %(organisation)s
    """,
    """
    INSERT INTO event_raw (observed_at, device_id, kind, digest, delay_seconds)
    SELECT %(at)s, id, %(slug)s || '-event', '\\x11', 1 FROM device WHERE organisation_id = %(organisation)s
    """,
    """
    INSERT INTO contact (received_at, device_id, messages)
    SELECT %(at)s, id, 4711 FROM device WHERE organisation_id = %(organisation)s
    """,
    "INSERT INTO rule (slug, organisation_id) VALUES (%(slug)s || '-rule', %(organisation)s)",
    """
    INSERT INTO rule_version (id, rule_id, version, definition)
    SELECT %(version)s, id, 1, jsonb_build_object('title', %(slug)s || ' rule', 'severity', 'major')
    FROM rule WHERE organisation_id = %(organisation)s
    """,
    # of every organisation, but meant for this one
    "INSERT INTO rule (slug) VALUES (%(slug)s || '-selected')",
    """
    INSERT INTO rule_version (id, rule_id, version, definition)
    SELECT gen_random_uuid(), id, 1, jsonb_build_object('select', jsonb_build_object('organisation', %(slug)s::text))
    FROM rule WHERE slug = %(slug)s || '-selected'
    """,
    """
    INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, series_id, subject, severity, state,
                       opened_at, fired_at, recorded_at, summary, acknowledged_at, acknowledged_by)
    SELECT %(alert)s, %(version)s, %(organisation)s, d.id, d.site_id, s.id, 'series:1', 'critical', 'firing', %(at)s,
           %(at)s, %(at)s, %(slug)s || ' summary', %(at)s, %(slug)s || '-person'
    FROM device d JOIN series s ON s.device_id = d.id WHERE d.organisation_id = %(organisation)s
    """,
    """
    INSERT INTO incident (id, founder_id, created_at, updated_at) VALUES (%(alert)s, %(alert)s, %(at)s, %(at)s)
    """,
    """
    INSERT INTO incident_part (incident_id, organisation_id, title, severity, state, opened_at, fired_at, alerts,
                               open_alerts, devices, lead_alert_id)
    SELECT %(alert)s, %(organisation)s, %(slug)s || ' incident', 'critical', 'open', %(at)s, %(at)s, 1, 1, 1, %(alert)s
    """,
    "UPDATE alert SET incident_id = id WHERE id = %(alert)s",
    """
    INSERT INTO alert_transition (alert_id, kind, at, recorded_at, author)
    VALUES (%(alert)s, 'firing', %(at)s, %(at)s, %(slug)s || '-author')
    """,
    """
    INSERT INTO receiver (slug, organisation_id, channel, address)
    VALUES (%(slug)s || '-receiver', %(organisation)s, 'email', %(slug)s || '@example.org')
    """,
    """
    INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, next_attempt_at, created_at)
    SELECT %(outbox)s, t.id, t.alert_id, r.id, '{}', %(at)s, %(at)s FROM alert_transition t, receiver r
    WHERE t.alert_id = %(alert)s AND r.organisation_id = %(organisation)s
    """,
    """
    INSERT INTO attempt (outbox_id, number, at, outcome, detail)
    VALUES (%(outbox)s, 1, %(at)s, 'temporary_failure', %(slug)s || ' detail')
    """,
    """
    INSERT INTO quarantine (digest, received_at, last_received_at, source, topic, payload, reason, detail, organisation,
                            device)
    VALUES (convert_to(%(slug)s, 'UTF8'), %(at)s, %(at)s, %(slug)s, %(slug)s || '/up', 'x', 'malformed_payload',
            %(slug)s || ' detail', %(slug)s, %(slug)s || '-device')
    """,
    "INSERT INTO log_cursor (consumer, xid, id) VALUES (%(slug)s || '-consumer', '3', 0)",
)
_OF_SERIES = "FROM series s JOIN device d ON d.id = s.device_id WHERE d.organisation_id = %(organisation)s"
_ROLLUPS = (
    f"""
    INSERT INTO reading_hourly_rollup (bucket, series_id, count, minimum, maximum, total, first, last)
    SELECT date_trunc('hour', %(at)s), s.id, 5, 4711, 4712, 5, 4711, 4712 {_OF_SERIES}
    """,
    f"""
    INSERT INTO reading_daily_rollup (bucket, series_id, count, minimum, maximum, total, first, last)
    SELECT date_trunc('day', %(at)s, 'UTC'), s.id, 5, 4711, 4712, 5, 4711, 4712 {_OF_SERIES}
    """,
)
_CONSUMPTION = f"""
    INSERT INTO consumption_hourly_rollup (bucket, series_id, amount, excess, codes, readings, level, level_at, last_at)
    SELECT date_trunc('hour', %(at)s), s.id, 4711, 0, 0, 5, 4711, %(at)s, %(at)s {_OF_SERIES}
"""
_CONSUMPTION_DAYS = f"""
    INSERT INTO consumption_daily_rollup (bucket, series_id, amount, excess, codes, readings)
    SELECT date_trunc('day', %(at)s, 'UTC'), s.id, 4711, 0, 0, 5 {_OF_SERIES}
"""
