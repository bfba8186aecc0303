-- What panels tell where there is too much to look at all of it, or where something was not heard: contacts of a few busy
-- devices over a long time, balances of zones, alerts of a window among those of years.

-- Contacts of some devices, about half a million at most: where more are expected, of every n-th device, as long as fifty
-- remain, and of a device that still has more than its share in so many stretches of time alone.
--   stands_for: for how many contacts a row stands, stands_for_devices: for how many devices its device does.
DROP FUNCTION dashboard.contacts(integer[], timestamptz, timestamptz);
CREATE FUNCTION dashboard.contacts(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (received_at timestamptz, device_id integer, messages integer, last_observed_at timestamptz, stands_for integer,
               stands_for_devices integer)
LANGUAGE plpgsql STABLE ROWS 100000 AS $$
DECLARE
    most CONSTANT double precision := 500000;
    -- Panels have 500 points: each has three stretches or more. On the clock, so that a picture stays as it is when it is
    -- asked for again.
    period CONSTANT interval := dashboard.nice_step(greatest((until - since) / 1500, interval '1 second'));
    nth integer;
    -- The first of each group of n devices; the last group may be smaller.
    chosen integer[];
    last_stands_for integer;
    whole integer[];
    thinned integer[];
    shares integer[];
BEGIN
    SELECT greatest(1, least(ceil(sum(e.contacts) / most), ceil(count(*) / 50.0)))
    INTO nth FROM dashboard.contacts_expected(wanted, since, until) e;
    chosen := ARRAY(SELECT w.id FROM unnest(wanted) WITH ORDINALITY AS w (id, place) WHERE (w.place - 1) % nth = 0
                    ORDER BY w.place);
    last_stands_for := (cardinality(wanted) - 1) % nth + 1;
    SELECT array_agg(x.id) FILTER (WHERE x.share <= 1), array_agg(x.id ORDER BY x.id) FILTER (WHERE x.share > 1),
           array_agg(x.share ORDER BY x.id) FILTER (WHERE x.share > 1)
    INTO whole, thinned, shares
    FROM (SELECT e.id, ceil(e.contacts * cardinality(chosen) / most)::integer AS share
          FROM dashboard.contacts_expected(chosen, since, until) e) x;
    RETURN QUERY EXECUTE $query$
        SELECT c.received_at, c.device_id, c.messages, c.last_observed_at, d.devices, d.devices
        FROM dashboard.contact c
        CROSS JOIN LATERAL (SELECT CASE c.device_id WHEN $4 THEN $5 ELSE $6 END AS devices) d
        WHERE c.device_id = ANY ($1) AND c.received_at >= $2 AND c.received_at <= $3
    $query$ USING whole, since, until, chosen[cardinality(chosen)], last_stands_for, nth;
    IF cardinality(thinned) > 0 THEN
        -- One part of each period, another one each time: who reports on the hour would be in each first part, or in none.
        -- The golden ratio's multiples fall evenly.
        RETURN QUERY EXECUTE $query$
            SELECT c.received_at, c.device_id, c.messages, c.last_observed_at, d.devices * t.share, d.devices
            FROM unnest($1, $2) AS t (id, share)
            CROSS JOIN LATERAL (SELECT CASE t.id WHEN $6 THEN $7 ELSE $8 END AS devices) d
            CROSS JOIN generate_series(date_bin($5, $3, '2000-01-01T00:00:00Z'), $4, $5) AS p (at)
            CROSS JOIN LATERAL (
                -- each part ends where the next begins, whatever is rounded
                SELECT p.at + n.part * $5 / t.share AS since, p.at + (n.part + 1) * $5 / t.share AS until
                FROM (SELECT floor(t.share * (u.turn - floor(u.turn))) AS part
                      FROM (SELECT (extract(epoch FROM p.at) / extract(epoch FROM $5) + t.id) * 0.6180339887498949 AS turn) u) n
            ) s
            CROSS JOIN LATERAL (
                SELECT k.received_at, k.device_id, k.messages, k.last_observed_at FROM dashboard.contact k
                WHERE k.device_id = t.id AND k.received_at >= s.since AND k.received_at < s.until
                  AND k.received_at >= $3 AND k.received_at <= $4
                -- Looked up for each stretch; as a join it would read all between the first and the last.
                OFFSET 0
            ) c
        $query$ USING thinned, shares, since, until, period, chosen[cardinality(chosen)], last_stands_for, nth;
    END IF;
END;
$$;

-- How many contacts a window holds by what devices are expected to report; one an hour where nobody said.
CREATE FUNCTION dashboard.contacts_expected(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (id integer, contacts double precision)
LANGUAGE sql STABLE AS $$
    SELECT d.id, extract(epoch FROM until - since)::double precision
                     / coalesce(nullif(extract(epoch FROM d.expected_interval), 0), 3600)::double precision
    FROM dashboard.device d WHERE d.id = ANY (wanted)
$$;

CREATE OR REPLACE VIEW dashboard.supply WITH (security_barrier) AS
SELECT s.id AS series_id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END AS factor, s.site_id,
       'inlet' AS part, s.device_id, NULL::integer AS customers, s.expected_interval
FROM dashboard.series s
WHERE s.supplies_site AND s.kind = 'counter' AND s.quantity IN ('volume', 'energy')
UNION ALL
SELECT s.id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END, b.site_id, 'meter', s.device_id,
       s.customers, s.expected_interval
FROM dashboard.series s
JOIN dashboard.site_below b ON b.below_id = s.site_id
WHERE NOT s.supplies_site AND s.kind = 'counter' AND s.quantity IN ('volume', 'energy') AND s.device_kind = 'meter';

-- What flowed into sites and what the meters of their customers counted, of water ('volume') or energy.
--   metered_customers: whom those meters are of, as the register says.
--   known: whether the difference says anything: every inlet and 19 of 20 meters were heard as early and as late as any of the
--   site's. What was silent in between is counted when it is heard again.
DROP FUNCTION dashboard.balance(integer[], text, timestamptz, timestamptz);
CREATE FUNCTION dashboard.balance(sites integer[], of text, since timestamptz, until timestamptz)
RETURNS TABLE (site_id integer, supplied double precision, metered double precision, meters bigint, metered_customers bigint,
               known boolean)
LANGUAGE sql STABLE AS $$
    WITH part AS MATERIALIZED (
        SELECT p.* FROM dashboard.supply p WHERE p.quantity = of AND p.site_id = ANY (sites)
    ), asked AS MATERIALIZED (
        SELECT s.series, least(until, now()) AS until,
               -- Hours tell who was heard at the ends of a short window, as long as reading them costs little.
               CASE WHEN cardinality(s.series) * extract(epoch FROM balance.until - since) / 3600 <= 60000 THEN interval '1 hour'
                    ELSE interval '1 day' END AS width
        FROM (SELECT ARRAY(SELECT DISTINCT p.series_id FROM part p) AS series) s
    ), counted AS MATERIALIZED (
        SELECT c.series_id, sum(c.consumption) AS amount, min(c.bucket) AS first_at, max(c.bucket) + a.width AS last_at
        FROM asked a
        CROSS JOIN LATERAL dashboard.consumption(a.series, since, balance.until,
                                                 (extract(epoch FROM a.width) * 1000)::bigint) c
        WHERE c.consumption IS NOT NULL
        GROUP BY c.series_id, a.width
    ), device AS (
        SELECT p.site_id, p.part, p.device_id, max(p.customers) AS customers, min(c.first_at) AS first_at,
               least(max(c.last_at), a.until) AS last_at,
               -- three reports (a day where none is expected), or a twentieth of the window, by which the figure is then wrong
               greatest(max(coalesce(3 * p.expected_interval, interval '1 day')), (a.until - since) / 20) AS patience
        FROM part p
        CROSS JOIN asked a
        LEFT JOIN counted c ON c.series_id = p.series_id
        GROUP BY p.site_id, p.part, p.device_id, a.until
    ), judged AS (
        -- against the site's own times: where all of it is new, or all of it was cut off, both sides were counted as long
        SELECT d.*, coalesce(d.first_at - min(d.first_at) OVER site <= d.patience
                             AND max(d.last_at) OVER site - d.last_at <= d.patience, false) AS heard
        FROM device d
        WINDOW site AS (PARTITION BY d.site_id)
    ), said AS (
        SELECT d.site_id, count(*) FILTER (WHERE d.part = 'meter') AS meters,
               coalesce(sum(d.customers) FILTER (WHERE d.part = 'meter'), 0) AS customers,
               bool_and(d.heard) FILTER (WHERE d.part = 'inlet')
                   AND count(*) FILTER (WHERE d.part = 'meter' AND NOT d.heard)
                           <= 0.05 * count(*) FILTER (WHERE d.part = 'meter') AS known
        FROM judged d
        GROUP BY 1
    ), flow AS (
        SELECT p.site_id, sum(c.amount * p.factor) FILTER (WHERE p.part = 'inlet') AS supplied,
               coalesce(sum(c.amount * p.factor) FILTER (WHERE p.part = 'meter'), 0) AS metered
        FROM part p
        LEFT JOIN counted c ON c.series_id = p.series_id
        GROUP BY 1
        HAVING bool_or(p.part = 'inlet')
    )
    SELECT f.site_id, f.supplied, f.metered, s.meters, s.customers, s.known
    FROM flow f
    JOIN said s ON s.site_id = f.site_id
$$;

-- Alerts and incidents that overlap a window: those that are over by their end, those that are not by its absence.
CREATE INDEX alert_resolved ON alert (resolved_at);
CREATE INDEX alert_fired ON alert (fired_at) WHERE fired_at IS NOT NULL;
CREATE INDEX incident_part_resolved ON incident_part (resolved_at);
CREATE INDEX incident_part_open ON incident_part (organisation_id) WHERE state = 'open';

-- With what panels choose alerts by: joined to dashboard.alert for it, which is a barrier, all alerts were read.
CREATE OR REPLACE VIEW dashboard.alert_detail WITH (security_barrier) AS
SELECT a.id, p.incident_id, p.incident_head, p.explained_by, p.explained_by_interruption, p.assigned_to,
       coalesce(p.resolution, '') AS resolution, p.resolved_by_hand_at, p.impact_water, p.impact_energy, p.impact_money,
       p.impact_currency, p.impact_people, p.impact_customers, a.organisation, a.rule_title, a.device_id, a.severity,
       a.severity_rank, a.state, a.opened_at, a.fired_at, a.resolved_at, a.recorded_at, a.acknowledged_at
FROM dashboard.alert a
JOIN public.alert p ON p.id = a.id;

CREATE OR REPLACE VIEW dashboard.incident WITH (security_barrier) AS
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
LEFT JOIN LATERAL (
    SELECT b.rule, b.rule_title, b.device_id, b.device_name, b.opened_at, b.resolved_at, b.acknowledged_at, b.acknowledged_by
    FROM dashboard.alert b WHERE b.id = i.lead_alert_id
    -- Looked up: as a join below a barrier it would read all alerts.
    OFFSET 0
) a ON true
LEFT JOIN dashboard.site s ON s.id = i.site_id
LEFT JOIN public.interruption x ON x.id = n.interruption_id AND x.organisation_id = i.organisation_id;
