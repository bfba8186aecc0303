-- What proved wrong in figures of time that retention dropped.

-- As in 0067, also where retention dropped the hours, too: then the last day tells. There a reading that came late was judged, and
-- the step from it to the first that is left put consumption into days that were known.
CREATE OR REPLACE FUNCTION judged_for_good(register integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(m.dropped_before), '-infinity')
    FROM retention_mark m
    CROSS JOIN LATERAL (
        SELECT told.bucket, told.width
        FROM (
            (SELECT h.bucket, interval '1 hour' AS width FROM consumption_hourly_rollup h
             WHERE h.series_id = register AND h.bucket < m.dropped_before AND h.readings > 0
             ORDER BY h.bucket DESC LIMIT 1)
            UNION ALL
            (SELECT d.bucket, interval '1 day' FROM consumption_daily_rollup d
             WHERE d.series_id = register AND d.bucket < m.dropped_before AND d.readings > 0
             ORDER BY d.bucket DESC LIMIT 1)
        ) told
        ORDER BY told.width LIMIT 1
    ) newest
    WHERE m.what = 'reading' AND m.source_id IN (0, register)
      AND NOT EXISTS (
          SELECT FROM reading_raw r
          WHERE r.series_id = register AND r.observed_at >= newest.bucket AND r.observed_at <= newest.bucket + newest.width
            AND r.observed_at < m.dropped_before)
$$;

-- Alerts about a device and about a whole site apart: as one join, each device was compared with each open alert.
CREATE OR REPLACE VIEW retention_need AS
SELECT d.id AS device_id, a.opened_at - interval '8 days' AS since, a.id AS alert_id, NULL::bigint AS backtest_id
FROM alert a JOIN device d ON d.id = a.device_id
WHERE a.state IN ('pending', 'firing')
UNION ALL
SELECT d.id, a.opened_at - interval '8 days', a.id, NULL
FROM alert a JOIN device d ON d.organisation_id = a.organisation_id
WHERE a.state IN ('pending', 'firing') AND a.device_id IS NULL
UNION ALL
SELECT d.id, '-infinity'::timestamptz, NULL, b.id
FROM backtest b JOIN device d ON b.organisation_id IS NULL OR d.organisation_id = b.organisation_id
WHERE b.finished_at IS NULL;

-- What each inlet of some sites and each meter of their customers counted, of water ('volume') or energy, in the sites' units.
--   parts: 'inlet', 'meter' or both.
--   first_at, last_at: from when and until when anything is known of it; NULL: nothing is.
--   patience: how much later or earlier than others it may be heard: three reports (a day where none is expected), or a twentieth
--   of the window, by which the figure is then wrong.
CREATE FUNCTION dashboard.counted(sites integer[], of text, parts text[], since timestamptz, until timestamptz)
RETURNS TABLE (site_id integer, part text, device_id integer, customers integer, amount double precision,
               first_at timestamptz, last_at timestamptz, patience interval)
LANGUAGE sql STABLE AS $$
    WITH part AS MATERIALIZED (
        SELECT p.* FROM dashboard.supply p WHERE p.quantity = of AND p.site_id = ANY (sites) AND p.part = ANY (parts)
    ), asked AS MATERIALIZED (
        SELECT ARRAY(SELECT DISTINCT p.series_id FROM part p) AS series, least(counted.until, now()) AS until
    ), said AS MATERIALIZED (
        -- Days outlive their hours.
        SELECT c.series_id, sum(c.consumption) AS amount, min(c.bucket) AS first_at, max(c.bucket) + interval '1 day' AS last_at
        FROM asked a
        CROSS JOIN LATERAL dashboard.consumption(a.series, since, counted.until, 86400000) c
        WHERE c.consumption IS NOT NULL
        GROUP BY c.series_id
    ), by_hour AS MATERIALIZED (
        -- Hours tell who was heard at the ends of a short window, as long as reading them costs little.
        SELECT c.series_id, min(c.bucket) AS first_at, max(c.bucket) + interval '1 hour' AS last_at
        FROM asked a
        CROSS JOIN LATERAL dashboard.consumption(a.series, since, counted.until, 3600000) c
        WHERE c.consumption IS NOT NULL
          AND cardinality(a.series) * extract(epoch FROM counted.until - since) / 3600 <= 60000
        GROUP BY c.series_id
    ), known AS (
        SELECT s.series_id, s.amount,
               CASE WHEN h.first_at < s.first_at + interval '1 day' THEN h.first_at ELSE s.first_at END AS first_at,
               CASE WHEN h.last_at > s.last_at - interval '1 day' THEN h.last_at ELSE s.last_at END AS last_at
        FROM said s
        LEFT JOIN by_hour h ON h.series_id = s.series_id
    )
    SELECT p.site_id, p.part, p.device_id, max(p.customers), sum(s.amount * p.factor), min(s.first_at),
           -- least() takes an unknown time for the latest
           CASE WHEN max(s.last_at) IS NOT NULL THEN least(max(s.last_at), a.until) END,
           greatest(max(coalesce(3 * p.expected_interval, interval '1 day')), (a.until - since) / 20)
    FROM part p
    CROSS JOIN asked a
    LEFT JOIN known s ON s.series_id = p.series_id
    GROUP BY p.site_id, p.part, p.device_id, a.until
$$;

CREATE OR REPLACE FUNCTION dashboard.balance(sites integer[], of text, since timestamptz, until timestamptz)
RETURNS TABLE (site_id integer, supplied double precision, metered double precision, meters bigint, metered_customers bigint,
               known boolean)
LANGUAGE sql STABLE AS $$
    WITH device AS (
        -- against the site's own times: where all of it is new, or all of it was cut off, both sides were counted as long
        SELECT d.*, coalesce(d.first_at - min(d.first_at) OVER site <= d.patience
                             AND max(d.last_at) OVER site - d.last_at <= d.patience, false) AS heard
        FROM dashboard.counted(sites, of, '{inlet,meter}', since, until) d
        WINDOW site AS (PARTITION BY d.site_id)
    )
    SELECT d.site_id, sum(d.amount) FILTER (WHERE d.part = 'inlet'),
           coalesce(sum(d.amount) FILTER (WHERE d.part = 'meter'), 0), count(*) FILTER (WHERE d.part = 'meter'),
           coalesce(sum(d.customers) FILTER (WHERE d.part = 'meter'), 0),
           bool_and(d.heard) FILTER (WHERE d.part = 'inlet')
               AND count(*) FILTER (WHERE d.part = 'meter' AND NOT d.heard) <= 0.05 * count(*) FILTER (WHERE d.part = 'meter')
    FROM device d
    GROUP BY d.site_id
    HAVING bool_or(d.part = 'inlet')
$$;

-- Before when hours of a series are gone; series 0: of all.
CREATE VIEW hours_dropped AS
SELECT m.source_id AS series_id, m.dropped_before FROM retention_mark m WHERE m.what = 'hourly';

CREATE VIEW dashboard.hours_dropped WITH (security_barrier) AS
SELECT d.series_id, d.dropped_before
FROM public.hours_dropped d
WHERE (SELECT everything FROM public.dashboard_reader)
   OR d.series_id = 0 AND EXISTS (SELECT FROM public.readable_organisation)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = d.series_id);

-- The resolution for some series, as in 0054, and days where nothing finer is left of what the window begins with: it was empty up
-- to the first hour that is kept. As in 0054, the same text is made for the views of both schemas.
DO $make$
DECLARE
    schema_name text;
    functions CONSTANT text := $functions$
CREATE OR REPLACE FUNCTION here.resolution_for(wanted integer[], since timestamptz, until timestamptz, points integer,
                                               wanted_zone text DEFAULT 'UTC', singles boolean DEFAULT false)
RETURNS TABLE (source text, step interval, zone text)
LANGUAGE plpgsql STABLE ROWS 1 AS $body$
DECLARE
    expected double precision;
    others integer[];
    measured double precision;
    dropped timestamptz;
    gone boolean;
BEGIN
    SELECT sum(3600 / extract(epoch FROM i.expected_interval)) FILTER (WHERE i.expected_interval > interval '0'),
           array_agg(i.series_id) FILTER (WHERE coalesce(i.expected_interval, interval '0') <= interval '0')
    INTO expected, others
    FROM here.series_interval i WHERE i.series_id = ANY (wanted);
    IF cardinality(others) > 0 THEN
        EXECUTE $query$
            SELECT sum(m.readings) FROM (
                SELECT avg(h.count) AS readings FROM here.reading_hourly h
                WHERE h.series_id = ANY ($1) AND h.bucket >= $2 AND h.bucket < $3 GROUP BY h.series_id
            ) m
        $query$ INTO measured USING others, greatest(since, until - interval '1 day'), until;
        -- Nothing is known: a reading each minute.
        measured := coalesce(measured, 60 * cardinality(others));
    END IF;
    SELECT r.source, r.step, r.zone INTO source, step, zone
    FROM here.resolution(since, until, points, cardinality(wanted), coalesce(expected, 0) + coalesce(measured, 0),
                         wanted_zone, singles) r;
    IF source <> 'day' THEN
        SELECT max(d.dropped_before) INTO dropped FROM here.hours_dropped d WHERE d.series_id = ANY (0 || wanted);
        IF since < dropped THEN
            EXECUTE $query$
                SELECT EXISTS (
                    SELECT FROM unnest($1) AS s (id)
                    CROSS JOIN LATERAL (
                        SELECT y.bucket FROM here.reading_daily y
                        WHERE y.series_id = s.id AND y.bucket >= $2 AND y.bucket < $3
                        ORDER BY y.bucket LIMIT 1
                    ) first
                    WHERE NOT EXISTS (
                        SELECT FROM here.reading_hourly h
                        WHERE h.series_id = s.id AND h.bucket >= first.bucket AND h.bucket < first.bucket + interval '1 day'
                        OFFSET 0)
                      AND NOT ($4 AND EXISTS (
                        SELECT FROM here.reading r
                        WHERE r.series_id = s.id AND r.observed_at >= first.bucket
                          AND r.observed_at < first.bucket + interval '1 day'
                        OFFSET 0)))
            $query$ INTO gone USING wanted, date_trunc('day', since, 'UTC'), least(until, dropped), source = 'raw';
            IF gone THEN
                source := 'day';
                step := greatest(step, interval '1 day');
                zone := 'UTC';
            END IF;
        END IF;
    END IF;
    RETURN NEXT;
END;
$body$;
$functions$;
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['public', 'dashboard'] LOOP
        EXECUTE replace(functions, 'here.', schema_name || '.');
    END LOOP;
END;
$make$;
