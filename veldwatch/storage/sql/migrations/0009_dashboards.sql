-- What Grafana may see: views and functions in a schema of their own, granted to a role that can read nothing else.
-- Barriers keep a condition that Grafana sends from being tried on rows that a view leaves out. The views are wide and
-- stable on purpose: panels, variables and annotations name only what is here.
CREATE SCHEMA dashboard;

-- One quantity in many units: panels show each quantity in one unit, with `factor` from the stored one.
-- Source: UCUM; m[H2O] = 9.80665 kPa.
CREATE VIEW dashboard.unit WITH (security_barrier) AS
SELECT u.unit, u.quantity, u.factor
FROM (VALUES
    ('L/h', 'flow', 1.0), ('L/min', 'flow', 60.0), ('L/s', 'flow', 3600.0), ('m3/h', 'flow', 1000.0),
    ('m3', 'volume', 1.0), ('L', 'volume', 0.001),
    ('bar', 'pressure', 1.0), ('kPa', 'pressure', 0.01), ('Pa', 'pressure', 0.00001), ('MPa', 'pressure', 10.0),
    ('m[H2O]', 'pressure', 0.0980665),
    ('m', 'length', 1.0), ('cm', 'length', 0.01), ('mm', 'length', 0.001),
    ('W', 'power', 0.001), ('kW', 'power', 1.0), ('MW', 'power', 1000.0),
    ('W.h', 'energy', 0.001), ('kW.h', 'energy', 1.0), ('MW.h', 'energy', 1000.0),
    ('Wh', 'energy', 0.001), ('kWh', 'energy', 1.0), ('MWh', 'energy', 1000.0),
    ('V', 'voltage', 1.0), ('kV', 'voltage', 1000.0), ('A', 'current', 1.0),
    ('Cel', 'temperature', 1.0), ('%', 'share', 1.0), ('%RH', 'humidity', 1.0)
) AS u (unit, quantity, factor);

CREATE VIEW dashboard.organisation WITH (security_barrier) AS
SELECT o.id, o.slug, o.name, o.kind FROM public.organisation o;

CREATE VIEW dashboard.site WITH (security_barrier) AS
SELECT s.id, s.slug, s.name, s.kind, o.slug AS organisation, o.name AS organisation_name, p.slug AS parent
FROM public.site s
JOIN public.organisation o ON o.id = s.organisation_id
LEFT JOIN public.site p ON p.id = s.parent_id;

CREATE VIEW dashboard.device WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.status, d.source, d.longitude, d.latitude, d.tags,
       o.slug AS organisation, o.name AS organisation_name, coalesce(s.slug, '-') AS site,
       coalesce(s.name, 'no site') AS site_name, coalesce(p.slug, '') AS profile, coalesce(p.name, '') AS profile_name,
       coalesce(p.kind, '') AS kind, p.expected_interval
FROM public.device d
JOIN public.organisation o ON o.id = d.organisation_id
LEFT JOIN public.site s ON s.id = d.site_id
LEFT JOIN public.profile p ON p.id = d.profile_id
WHERE d.status <> 'retired';

-- Apart from dashboard.device, because finding the last contact costs an index look-up per device.
CREATE VIEW dashboard.device_state WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.organisation, d.site, d.site_name, d.profile, d.kind, d.status,
       c.received_at AS last_contact_at, c.online,
       CASE WHEN c.received_at IS NULL THEN 'never heard'
            WHEN NOT c.online THEN 'offline'
            -- three missed reports, as the alerts on silence; a day where no interval is expected
            WHEN c.received_at < now() - coalesce(3 * d.expected_interval, interval '1 day') THEN 'silent'
            ELSE 'reporting' END AS state,
       coalesce(f.longitude, d.longitude) AS longitude, coalesce(f.latitude, d.latitude) AS latitude
FROM dashboard.device d
LEFT JOIN LATERAL (
    SELECT k.received_at, k.online FROM public.contact k
    WHERE k.device_id = d.id ORDER BY k.received_at DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT x.longitude, x.latitude FROM public.position_raw x
    WHERE x.device_id = d.id AND d.kind = 'tracker' ORDER BY x.observed_at DESC LIMIT 1
) f ON true;

CREATE VIEW dashboard.series WITH (security_barrier) AS
SELECT s.id, s.device_id, s.metric, s.unit, s.kind, s.register_modulus, u.quantity, coalesce(u.factor, 1.0) AS factor,
       d.external_id AS device, d.name AS device_name, d.kind AS device_kind, d.organisation, d.site, d.site_name,
       d.profile, d.expected_interval,
       -- for legends: the metric is said where the device has another in the same unit
       CASE WHEN EXISTS (SELECT FROM public.series x
                         WHERE x.device_id = s.device_id AND x.unit = s.unit AND x.metric <> s.metric)
            THEN d.name || ' ' || s.metric ELSE d.name END AS label
FROM public.series s
JOIN dashboard.device d ON d.id = s.device_id
LEFT JOIN dashboard.unit u ON u.unit = s.unit;

CREATE VIEW dashboard.reading WITH (security_barrier) AS
SELECT r.observed_at, r.series_id, r.value, r.quality, r.received_at FROM public.reading r;

CREATE VIEW dashboard.reading_hourly WITH (security_barrier) AS
SELECT r.bucket, r.series_id, r.count, r.minimum, r.maximum, r.average, r.first, r.last FROM public.reading_hourly r;

CREATE VIEW dashboard.reading_daily WITH (security_barrier) AS
SELECT r.bucket, r.series_id, r.count, r.minimum, r.maximum, r.average, r.first, r.last FROM public.reading_daily r;

CREATE VIEW dashboard.position WITH (security_barrier) AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed, p.heading, p.quality,
       p.received_at
FROM public.position p;

CREATE VIEW dashboard.event WITH (security_barrier) AS
SELECT e.observed_at, e.device_id, e.kind, e.attributes, e.digest, e.received_at FROM public.event e;

CREATE VIEW dashboard.contact WITH (security_barrier) AS
SELECT c.received_at, c.device_id, c.messages, c.first_observed_at, c.last_observed_at, c.online FROM public.contact c;

CREATE VIEW dashboard.rule WITH (security_barrier) AS
SELECT r.slug, coalesce(v.definition ->> 'title', r.slug) AS title, v.version, r.enabled,
       v.definition ->> 'severity' AS severity
FROM public.rule r
JOIN public.rule_version v ON v.rule_id = r.id AND v.active;

CREATE VIEW dashboard.alert WITH (security_barrier) AS
SELECT a.id, r.slug AS rule, v.version AS rule_version, coalesce(v.definition ->> 'title', r.slug) AS rule_title,
       o.slug AS organisation, coalesce(s.slug, '-') AS site, coalesce(s.name, 'no site') AS site_name,
       a.device_id, coalesce(d.external_id, '') AS device, coalesce(d.name, '') AS device_name,
       a.series_id, coalesce(e.metric, '') AS metric, a.severity,
       array_position(ARRAY['info', 'minor', 'major', 'critical'], a.severity) AS severity_rank,
       a.state, a.opened_at, a.fired_at, a.resolved_at, a.recorded_at, a.late, a.value, a.summary,
       a.acknowledged_at, a.acknowledged_by, d.longitude, d.latitude
FROM public.alert a
JOIN public.rule_version v ON v.id = a.rule_version_id
JOIN public.rule r ON r.id = v.rule_id
JOIN public.organisation o ON o.id = a.organisation_id
LEFT JOIN public.device d ON d.id = a.device_id
LEFT JOIN public.site s ON s.id = coalesce(a.site_id, d.site_id)
LEFT JOIN public.series e ON e.id = a.series_id;

CREATE VIEW dashboard.alert_transition WITH (security_barrier) AS
SELECT t.id, t.alert_id, t.kind, t.at, t.recorded_at, t.author FROM public.alert_transition t;

-- Who was told, without addresses, secrets or texts.
CREATE VIEW dashboard.notification WITH (security_barrier) AS
SELECT b.id, b.alert_id, c.slug AS receiver, c.channel, b.state, coalesce(b.reason, '') AS reason, b.attempts,
       b.next_attempt_at, b.created_at, b.delivered_at
FROM public.outbox b
JOIN public.receiver c ON c.id = b.receiver_id;

CREATE VIEW dashboard.attempt WITH (security_barrier) AS
SELECT t.id, t.outbox_id, t.number, t.at, t.outcome FROM public.attempt t;

-- Without the payloads.
CREATE VIEW dashboard.quarantine WITH (security_barrier) AS
SELECT q.id, q.received_at, q.last_received_at, q.count, q.source, q.topic, q.reason, q.detail, q.replayed_at
FROM public.quarantine q;

CREATE VIEW dashboard.batch WITH (security_barrier) AS
SELECT b.id, b.committed_at, octet_length(b.content) AS bytes FROM public.batch b;

-- How far each reader of the log is behind: batches, and the age of the oldest that it has not read.
CREATE VIEW dashboard.consumer WITH (security_barrier) AS
SELECT c.consumer, c.updated_at, w.batches AS batches_behind,
       coalesce(extract(epoch FROM now() - w.oldest), 0)::double precision AS seconds_behind
FROM public.log_cursor c
CROSS JOIN LATERAL (
    SELECT count(*) AS batches, min(b.committed_at) AS oldest
    FROM public.batch b WHERE (b.xid, b.id) > (c.xid, c.id)
) w;

-- The start of the bucket that holds a time, not before the window: no point of a picture lies outside of it.
CREATE FUNCTION dashboard.bucket(at timestamptz, width_ms bigint, since timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(date_bin(make_interval(secs => greatest(width_ms, 1) / 1000.0), at, '2000-01-01T00:00:00Z'), since)
$$;

-- Readings of some series in buckets, from the coarsest table that the bucket allows: raw below an hour, hourly below
-- a day, daily above. A row of nulls ends each run of points that is followed by a gap of more than three expected
-- reports, so that a picture shows it as one. Implausible values (quality 4) stay out, as they do of the rollups.
CREATE FUNCTION dashboard.readings(wanted integer[], since timestamptz, until timestamptz, bucket_ms bigint)
RETURNS TABLE (bucket timestamptz, series_id integer, average double precision, minimum double precision,
               maximum double precision, readings bigint)
LANGUAGE plpgsql STABLE ROWS 5000 AS $$
DECLARE
    width interval := make_interval(secs => greatest(bucket_ms, 1) / 1000.0);
    origin CONSTANT timestamptz := '2000-01-01T00:00:00Z';
BEGIN
    RETURN QUERY
    WITH point AS MATERIALIZED (
        SELECT date_bin(width, r.observed_at, origin) AS bucket, r.series_id, avg(r.value) AS average,
               min(r.value) AS minimum, max(r.value) AS maximum, count(*) AS readings
        FROM dashboard.reading r
        WHERE bucket_ms < 3600000 AND r.quality & 4 = 0
          AND r.series_id = ANY (wanted) AND r.observed_at >= since AND r.observed_at <= until
        GROUP BY 1, 2
        UNION ALL
        SELECT date_bin(width, h.bucket, origin), h.series_id, sum(h.average * h.count) / sum(h.count),
               min(h.minimum), max(h.maximum), sum(h.count)::bigint
        FROM dashboard.reading_hourly h
        WHERE bucket_ms >= 3600000 AND bucket_ms < 86400000
          AND h.series_id = ANY (wanted) AND h.bucket >= since AND h.bucket <= until
        GROUP BY 1, 2
        UNION ALL
        SELECT date_bin(width, y.bucket, origin), y.series_id, sum(y.average * y.count) / sum(y.count),
               min(y.minimum), max(y.maximum), sum(y.count)::bigint
        FROM dashboard.reading_daily y
        WHERE bucket_ms >= 86400000
          AND y.series_id = ANY (wanted) AND y.bucket >= since AND y.bucket <= until
        GROUP BY 1, 2
    ), followed AS (
        SELECT p.*, lead(p.bucket) OVER (PARTITION BY p.series_id ORDER BY p.bucket) - p.bucket AS until_next
        FROM point p
    )
    SELECT greatest(p.bucket, since), p.series_id, p.average, p.minimum, p.maximum, p.readings FROM followed p
    UNION ALL
    SELECT p.bucket + width, p.series_id, NULL, NULL, NULL, 0::bigint
    FROM followed p
    JOIN dashboard.series s ON s.id = p.series_id
    WHERE p.until_next > greatest(3 * coalesce(s.expected_interval, interval '1 hour'), 2 * width)
    ORDER BY 1, 2;
END;
$$;

-- What registers counted in each bucket, never finer than an hour and never negative: a roll-over is undone where the
-- register's width is known; a reset, a changed meter or a missing hour gives no figure rather than a wrong one.
CREATE FUNCTION dashboard.consumption(wanted integer[], since timestamptz, until timestamptz, bucket_ms bigint)
RETURNS TABLE (bucket timestamptz, series_id integer, consumption double precision)
LANGUAGE plpgsql STABLE ROWS 5000 AS $$
DECLARE
    width interval := make_interval(secs => greatest(bucket_ms, 3600000) / 1000.0);
    origin CONSTANT timestamptz := '2000-01-01T00:00:00Z';
BEGIN
    RETURN QUERY
    WITH register AS (
        SELECT h.bucket, h.series_id, h.last FROM dashboard.reading_hourly h
        WHERE bucket_ms < 86400000 AND h.series_id = ANY (wanted)
          AND h.bucket >= since - interval '2 hours' AND h.bucket <= until
        UNION ALL
        SELECT y.bucket, y.series_id, y.last FROM dashboard.reading_daily y
        WHERE bucket_ms >= 86400000 AND y.series_id = ANY (wanted)
          AND y.bucket >= since - interval '2 days' AND y.bucket <= until
    ), step AS (
        SELECT r.bucket, r.series_id,
               r.last - lag(r.last) OVER (PARTITION BY r.series_id ORDER BY r.bucket) AS increase
        FROM register r
    )
    SELECT greatest(date_bin(width, t.bucket, origin), since), t.series_id,
           sum(CASE WHEN t.increase >= 0 THEN t.increase
                    -- gone past its last figure: at most half of the register in one step, else it was reset
                    WHEN t.increase + s.register_modulus < s.register_modulus / 2
                    THEN t.increase + s.register_modulus END)
    FROM step t
    JOIN dashboard.series s ON s.id = t.series_id
    WHERE t.bucket >= since
    GROUP BY 1, 2
    ORDER BY 1, 2;
END;
$$;

-- Give a role what the dashboards need and nothing else. The settings are defaults against accidents: Grafana lets
-- a viewer send SQL of their own, and that may SET them otherwise. The grants are the guard.
CREATE FUNCTION grant_dashboards(reader name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA dashboard TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA dashboard TO %I', reader);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA dashboard GRANT SELECT ON TABLES TO %I', reader);
END;
$$;
REVOKE EXECUTE ON FUNCTION grant_dashboards(name) FROM PUBLIC;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        -- Roles belong to the whole server: another database's migration may make it at the same moment.
        BEGIN
            CREATE ROLE grafana_ro NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
            ALTER ROLE grafana_ro SET default_transaction_read_only = on;
            ALTER ROLE grafana_ro SET statement_timeout = '15s';
            ALTER ROLE grafana_ro SET idle_in_transaction_session_timeout = '30s';
            ALTER ROLE grafana_ro SET search_path = dashboard;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
            RAISE NOTICE 'role grafana_ro was not made here: %', SQLERRM;
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        PERFORM grant_dashboards('grafana_ro');
    END IF;
END;
$$;
