-- What dashboards for each role need: places with their outlines, who depends on them, supply and its meters, animals,
-- incidents and their causes. Each view is made from those of this schema, so that whoever may not see a row there does
-- not see it here.

-- One quantity in many units, as in 0009, with those of transformers, sondes and weather stations.
-- Source: UCUM; pound-force per square inch 6894.757 Pa.
CREATE OR REPLACE VIEW dashboard.unit WITH (security_barrier) AS
SELECT u.unit, u.quantity, u.factor
FROM (VALUES
    ('L/h', 'flow', 1.0), ('L/min', 'flow', 60.0), ('L/s', 'flow', 3600.0), ('m3/h', 'flow', 1000.0),
    ('m3', 'volume', 1.0), ('L', 'volume', 0.001),
    ('bar', 'pressure', 1.0), ('kPa', 'pressure', 0.01), ('Pa', 'pressure', 0.00001), ('MPa', 'pressure', 10.0),
    ('m[H2O]', 'pressure', 0.0980665), ('[psi]', 'pressure', 0.06894757),
    ('m', 'length', 1.0), ('cm', 'length', 0.01), ('mm', 'length', 0.001),
    ('W', 'power', 0.001), ('kW', 'power', 1.0), ('MW', 'power', 1000.0),
    ('VA', 'apparent power', 0.001), ('kVA', 'apparent power', 1.0), ('MVA', 'apparent power', 1000.0),
    ('W.h', 'energy', 0.001), ('kW.h', 'energy', 1.0), ('MW.h', 'energy', 1000.0),
    ('Wh', 'energy', 0.001), ('kWh', 'energy', 1.0), ('MWh', 'energy', 1000.0),
    ('V', 'voltage', 1.0), ('kV', 'voltage', 1000.0), ('A', 'current', 1.0),
    ('Cel', 'temperature', 1.0), ('%', 'share', 1.0), ('%RH', 'humidity', 1.0),
    ('m/s', 'speed', 1.0), ('km/h', 'speed', 0.277777777777778),
    ('mS/cm', 'conductivity', 1.0), ('uS/cm', 'conductivity', 0.001),
    ('mg/L', 'concentration', 1.0), ('ug/L', 'concentration', 0.001),
    ('[FNU]', 'turbidity', 1.0), ('[NTU]', 'turbidity', 1.0),
    ('dBm', 'signal', 1.0)
) AS u (unit, quantity, factor);

-- A site with its outline (GeoJSON, WGS 84), who depends on it, and the tariffs that count there: its own, or those of
-- the nearest site above that has any, or the organisation's.
CREATE VIEW dashboard.site_detail WITH (security_barrier) AS
SELECT s.id, s.slug, s.name, s.kind, s.organisation, s.organisation_name, s.parent, p.parent_id, p.geometry, p.people,
       p.customers, o.currency, coalesce(t.water_tariff, o.water_tariff) AS water_tariff,
       coalesce(t.energy_tariff, o.energy_tariff) AS energy_tariff
FROM dashboard.site s
JOIN public.site p ON p.id = s.id
JOIN public.organisation o ON o.id = p.organisation_id
LEFT JOIN LATERAL (
    WITH RECURSIVE up AS (
        SELECT x.parent_id, x.water_tariff, x.energy_tariff, 1 AS steps FROM public.site x WHERE x.id = s.id
        UNION ALL
        SELECT x.parent_id, x.water_tariff, x.energy_tariff, up.steps + 1
        FROM up JOIN public.site x ON x.id = up.parent_id AND x.organisation_id = o.id
    )
    SELECT (array_agg(up.water_tariff ORDER BY up.steps) FILTER (WHERE up.water_tariff IS NOT NULL))[1] AS water_tariff,
           (array_agg(up.energy_tariff ORDER BY up.steps) FILTER (WHERE up.energy_tariff IS NOT NULL))[1] AS energy_tariff
    FROM up
) t ON true;

-- Each site and every site below it, itself too.
CREATE VIEW dashboard.site_below WITH (security_barrier) AS
WITH RECURSIVE down AS (
    SELECT s.id AS site_id, s.id AS below_id FROM dashboard.site s
    UNION ALL
    SELECT d.site_id, s.id FROM down d JOIN public.site p ON p.parent_id = d.below_id JOIN dashboard.site s ON s.id = p.id
)
SELECT d.site_id, d.below_id FROM down d;

-- What the register knows of a device beyond dashboard.device. `capacity` is told by a tag such as capacity=400: what it
-- can carry, in kVA or kW of a transformer or feeder.
CREATE VIEW dashboard.device_detail WITH (security_barrier) AS
SELECT d.id, p.site_id, p.supplies_site, p.people, p.customers, g.name AS gateway,
       (SELECT substring(tag FROM '^capacity=([0-9]{1,9}(?:\.[0-9]{1,9})?)$')::double precision
        FROM unnest(d.tags) AS t (tag) WHERE tag ~ '^capacity=[0-9]{1,9}(\.[0-9]{1,9})?$' LIMIT 1) AS capacity
FROM dashboard.device d
JOIN public.device p ON p.id = d.id
LEFT JOIN public.device g ON g.id = p.gateway_id;

-- Plausible ranges of a profile's metrics: the full height of a reservoir is the upper end of its level.
CREATE VIEW dashboard.metric_range WITH (security_barrier) AS
SELECT p.slug AS profile, m.metric, m.unit, m.minimum, m.maximum
FROM public.profile_metric m
JOIN public.profile p ON p.id = m.profile_id
WHERE p.slug IN (SELECT d.profile FROM dashboard.device d);

-- Registers of water and energy by the part that they have in the supply of a site: what counts at its inlets (devices
-- that supply it), and what its customers' meters count, those of sites below too; what customers feed in counts the
-- other way.
CREATE VIEW dashboard.supply WITH (security_barrier) AS
SELECT s.id AS series_id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END AS factor, d.site_id,
       'inlet' AS part, d.id AS device_id, NULL::integer AS customers
FROM dashboard.series s
JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
WHERE s.kind = 'counter' AND s.quantity IN ('volume', 'energy')
UNION ALL
SELECT s.id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END, b.site_id, 'meter', d.id, d.customers
FROM dashboard.series s
JOIN dashboard.device_detail d ON d.id = s.device_id AND NOT d.supplies_site
JOIN dashboard.site_below b ON b.below_id = d.site_id
WHERE s.kind = 'counter' AND s.quantity IN ('volume', 'energy') AND s.device_kind = 'meter';

-- Which animal, pump or service point a device was on, and when; `since` or `until` is NULL where there is no end.
CREATE VIEW dashboard.deployment WITH (security_barrier) AS
SELECT e.device_id, s.name AS subject, s.kind, coalesce(s.species, '') AS species,
       coalesce(k.common_name, '') AS common_name, lower(e.during) AS since, upper(e.during) AS until
FROM dashboard.device d
JOIN public.deployment e ON e.device_id = d.id
JOIN public.subject s ON s.id = e.subject_id
LEFT JOIN public.species k ON k.name = s.species;

-- What an alert concerns, what explains it, and what people made of it.
CREATE VIEW dashboard.alert_detail WITH (security_barrier) AS
SELECT a.id, p.incident_id, p.incident_head, p.explained_by, p.explained_by_interruption, p.assigned_to,
       coalesce(p.resolution, '') AS resolution, p.resolved_by_hand_at, p.impact_water, p.impact_energy, p.impact_money,
       p.impact_currency, p.impact_people, p.impact_customers
FROM dashboard.alert a
JOIN public.alert p ON p.id = a.id;

-- Incidents as each organisation sees its own part of them; the cause is what leads them: an alert, or what was planned.
CREATE VIEW dashboard.incident WITH (security_barrier) AS
SELECT i.incident_id AS id, o.slug AS organisation, o.name AS organisation_name, i.title, i.severity,
       array_position(ARRAY['info', 'minor', 'major', 'critical'], i.severity) AS severity_rank, i.state, i.opened_at,
       i.fired_at, i.resolved_at, i.alerts, i.open_alerts, i.devices, i.site_id, coalesce(s.slug, '-') AS site,
       coalesce(s.name, 'no site') AS site_name, i.longitude, i.latitude, a.rule AS cause_rule,
       coalesce(x.title, a.rule_title) AS cause, a.device_id, coalesce(a.device_name, '') AS device_name,
       a.opened_at AS cause_opened_at, a.resolved_at AS cause_resolved_at, a.acknowledged_at,
       coalesce(a.acknowledged_by, '') AS acknowledged_by, i.impact_water, i.impact_energy,
       i.impact_money, i.impact_currency, i.impact_people, i.impact_customers
FROM public.incident_part i
JOIN dashboard.organisation o ON o.id = i.organisation_id
JOIN public.incident n ON n.id = i.incident_id AND n.superseded_by IS NULL
LEFT JOIN dashboard.alert a ON a.id = i.lead_alert_id
LEFT JOIN dashboard.site s ON s.id = i.site_id
LEFT JOIN public.interruption x ON x.id = n.interruption_id AND x.organisation_id = i.organisation_id;

-- What was said beforehand: planned work and load shedding.
CREATE VIEW dashboard.interruption WITH (security_barrier) AS
SELECT i.id, o.slug AS organisation, i.kind, i.begins_at, i.ends_at, i.title, i.reason,
       coalesce((SELECT string_agg(DISTINCT coalesce(s.name, d.name), ', ')
                 FROM public.interruption_place p
                 LEFT JOIN dashboard.site s ON s.id = p.site_id
                 LEFT JOIN dashboard.device d ON d.id = p.device_id
                 WHERE p.interruption_id = i.id), '') AS places
FROM public.interruption i
JOIN dashboard.organisation o ON o.id = i.organisation_id
WHERE i.cancelled_at IS NULL;

-- What of a device's messages could not be stored.
CREATE VIEW dashboard.device_quarantine WITH (security_barrier) AS
SELECT d.id AS device_id, q.received_at, q.last_received_at, q.count, q.reason, q.state
FROM public.quarantine q
JOIN dashboard.device d ON d.organisation = q.organisation AND d.external_id = q.device;

-- Outlines of sites as points, so that a map shows fences and borders without files or tiles: every corner, and between
-- corners as many as make 160 along the whole. A point site is one point.
CREATE VIEW dashboard.site_outline WITH (security_barrier) AS
WITH ring AS (
    SELECT s.id, s.name, s.kind, s.organisation, r.number, r.line
    FROM dashboard.site_detail s
    CROSS JOIN LATERAL (
        SELECT 1 AS number, s.geometry -> 'coordinates' AS line WHERE s.geometry ->> 'type' = 'LineString'
        UNION ALL
        SELECT (n - 1)::integer, value
        FROM jsonb_array_elements(CASE WHEN s.geometry ->> 'type' IN ('Polygon', 'MultiLineString')
                                       THEN s.geometry -> 'coordinates' ELSE '[]' END) WITH ORDINALITY AS e (value, n)
        UNION ALL
        SELECT (n * 1000 + m)::integer, part
        FROM jsonb_array_elements(CASE WHEN s.geometry ->> 'type' = 'MultiPolygon'
                                       THEN s.geometry -> 'coordinates' ELSE '[]' END) WITH ORDINALITY AS e (value, n)
        CROSS JOIN LATERAL jsonb_array_elements(e.value) WITH ORDINALITY AS f (part, m)
        UNION ALL
        SELECT 1, jsonb_build_array(s.geometry -> 'coordinates') WHERE s.geometry ->> 'type' = 'Point'
    ) r
), corner AS (
    SELECT r.id, r.name, r.kind, r.organisation, r.number, n AS place, (value ->> 0)::double precision AS longitude,
           (value ->> 1)::double precision AS latitude
    FROM ring r
    CROSS JOIN LATERAL jsonb_array_elements(r.line) WITH ORDINALITY AS e (value, n)
), edge AS (
    SELECT c.*, lead(c.longitude) OVER along AS next_longitude, lead(c.latitude) OVER along AS next_latitude
    FROM corner c
    WINDOW along AS (PARTITION BY c.id, c.number ORDER BY c.place)
), measured AS (
    -- flat, which is near enough to space points evenly
    SELECT e.*, coalesce(sqrt(((e.next_longitude - e.longitude) * cos(radians(e.latitude))) ^ 2
                              + (e.next_latitude - e.latitude) ^ 2), 0) AS length
    FROM edge e
), spaced AS (
    SELECT m.*, greatest(1, ceil(160 * m.length / nullif(sum(m.length) OVER (PARTITION BY m.id), 0))::integer) AS parts
    FROM measured m
)
SELECT p.id AS site_id, p.name, p.kind, p.organisation, p.number AS ring, p.place + k::double precision / p.parts AS place,
       p.longitude + coalesce(p.next_longitude - p.longitude, 0) * k / p.parts AS longitude,
       p.latitude + coalesce(p.next_latitude - p.latitude, 0) * k / p.parts AS latitude
FROM spaced p
CROSS JOIN LATERAL generate_series(0, CASE WHEN p.next_longitude IS NULL THEN 0 ELSE p.parts - 1 END) AS g (k)
WHERE p.next_longitude IS NOT NULL OR p.place = 1;

-- Where each tracker plausibly was last. Only its newest ten fixes are judged: a planner that takes all of them for few
-- would judge every one of years, and of ten that follow each other the last ones are plausible by their neighbours.
CREATE VIEW dashboard.last_fix WITH (security_barrier) AS
SELECT d.id AS device_id, f.observed_at, f.longitude, f.latitude
FROM dashboard.device d
CROSS JOIN LATERAL (
    SELECT x.observed_at, x.longitude, x.latitude
    FROM (SELECT r.observed_at FROM public.position_raw r
          WHERE r.device_id = d.id AND r.quality & 4 = 0 ORDER BY r.observed_at DESC LIMIT 10) newest
    CROSS JOIN LATERAL (
        SELECT p.observed_at, p.longitude, p.latitude FROM public.position p
        WHERE p.device_id = d.id AND p.observed_at = newest.observed_at AND p.quality & 4 = 0
    ) x
    ORDER BY x.observed_at DESC LIMIT 1
) f
WHERE d.kind = 'tracker';

CREATE OR REPLACE VIEW dashboard.device_state WITH (security_barrier) AS
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
    SELECT l.longitude, l.latitude FROM dashboard.last_fix l WHERE l.device_id = d.id
) f ON true;

-- Fixes as they were stored, and how fast the animals can be that they are of: what dashboard.track judges them by.
CREATE VIEW dashboard.raw_fix WITH (security_barrier) AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.accuracy, p.quality
FROM public.position_raw p
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_device t WHERE t.id = p.device_id);

CREATE VIEW dashboard.movement WITH (security_barrier) AS
SELECT m.device_id, m.during, m.maximum_speed, m.travel_speed
FROM dashboard.device d
JOIN public.movement_stretch m ON m.device_id = d.id;

-- As public.metres_between, which a tenant's role cannot name.
CREATE FUNCTION dashboard.metres(longitude_a double precision, latitude_a double precision,
                                 longitude_b double precision, latitude_b double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 2 * 6371008.8 * asin(least(1.0, sqrt(
        power(sin(radians(latitude_b - latitude_a) / 2), 2)
        + cos(radians(latitude_a)) * cos(radians(latitude_b)) * power(sin(radians(longitude_b - longitude_a) / 2), 2))))
$$;

-- Plausible fixes of some devices in order, each with the way and the time since the one before it (NULL: the first). It
-- judges them as the view position does, docs/decisions/0028 and 0047, but all in one pass: for a map of a month that is
-- some milliseconds in place of seconds. Neighbours more than two days outside of the window are not looked for.
CREATE FUNCTION dashboard.track(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (device_id integer, observed_at timestamptz, longitude double precision, latitude double precision,
               metres double precision, seconds double precision)
LANGUAGE plpgsql STABLE ROWS 2000 AS $$
BEGIN
    RETURN QUERY
    WITH fix AS MATERIALIZED (
        SELECT r.device_id AS device, r.observed_at AS at, r.longitude AS x, r.latitude AS y,
               coalesce(r.accuracy, 30)::double precision AS error, m.during, m.maximum_speed, m.travel_speed
        FROM dashboard.raw_fix r
        LEFT JOIN dashboard.movement m ON m.device_id = r.device_id AND m.during @> r.observed_at AND m.maximum_speed IS NOT NULL
        WHERE r.device_id = ANY (wanted) AND r.quality & 4 = 0
          AND r.observed_at >= since - interval '2 days' AND r.observed_at <= until + interval '2 days'
    ), placed AS (
        SELECT f.*, lag(f.at, 1) OVER w AS at_1, lag(f.x, 1) OVER w AS x_1, lag(f.y, 1) OVER w AS y_1,
               lag(f.error, 1) OVER w AS error_1, lag(f.during, 1) OVER w AS during_1,
               lag(f.at, 2) OVER w AS at_2, lag(f.x, 2) OVER w AS x_2, lag(f.y, 2) OVER w AS y_2,
               lag(f.error, 2) OVER w AS error_2, lag(f.during, 2) OVER w AS during_2,
               lead(f.at, 1) OVER w AS at_3, lead(f.x, 1) OVER w AS x_3, lead(f.y, 1) OVER w AS y_3,
               lead(f.error, 1) OVER w AS error_3, lead(f.during, 1) OVER w AS during_3,
               lead(f.at, 2) OVER w AS at_4, lead(f.x, 2) OVER w AS x_4, lead(f.y, 2) OVER w AS y_4,
               lead(f.error, 2) OVER w AS error_4, lead(f.during, 2) OVER w AS during_4
        FROM fix f
        WINDOW w AS (PARTITION BY f.device ORDER BY f.at)
    ), judged AS (
        SELECT p.device, p.at, p.x, p.y,
               p.maximum_speed IS NOT NULL
               AND (j.out_and_back
                    OR 2 * j.unreachable > j.neighbours
                       AND CASE WHEN j.earlier > 0 THEN j.unreachable_earlier > 0 ELSE j.unreachable > 1 END) AS implausible
        FROM placed p
        CROSS JOIN LATERAL (
            WITH near AS MATERIALIZED (
                SELECT n.earlier, n.x, n.y, far.metres AS away_by, far.metres > p.maximum_speed * far.seconds AS away,
                       coalesce(far.metres > p.travel_speed * far.seconds, false) AS hasty
                FROM (VALUES (true, p.at_1, p.x_1, p.y_1, p.error_1, p.during_1),
                             (true, p.at_2, p.x_2, p.y_2, p.error_2, p.during_2),
                             (false, p.at_3, p.x_3, p.y_3, p.error_3, p.during_3),
                             (false, p.at_4, p.x_4, p.y_4, p.error_4, p.during_4)) AS n (earlier, at, x, y, error, during)
                CROSS JOIN LATERAL (
                    SELECT dashboard.metres(p.x, p.y, n.x, n.y) - p.error - n.error AS metres,
                           abs(extract(epoch FROM n.at - p.at))::double precision AS seconds
                ) far
                WHERE p.during = n.during
            )
            SELECT count(*) AS neighbours, count(*) FILTER (WHERE n.away) AS unreachable,
                   count(*) FILTER (WHERE n.earlier) AS earlier,
                   count(*) FILTER (WHERE n.away AND n.earlier) AS unreachable_earlier,
                   EXISTS (SELECT FROM near one JOIN near other ON NOT other.earlier AND other.hasty
                           WHERE one.earlier AND one.hasty
                             AND dashboard.metres(one.x, one.y, other.x, other.y) < 0.25 * least(one.away_by, other.away_by))
                       AS out_and_back
            FROM near n
        ) j
    )
    SELECT k.device, k.at, k.x, k.y,
           -- least() takes an unknown way for the longest
           CASE WHEN lag(k.x) OVER w IS NOT NULL THEN dashboard.metres(lag(k.x) OVER w, lag(k.y) OVER w, k.x, k.y) END,
           extract(epoch FROM k.at - lag(k.at) OVER w)::double precision
    FROM judged k
    WHERE NOT coalesce(k.implausible, false) AND k.at >= since AND k.at <= until
    WINDOW w AS (PARTITION BY k.device ORDER BY k.at)
    ORDER BY 1, 2;
END;
$$;
