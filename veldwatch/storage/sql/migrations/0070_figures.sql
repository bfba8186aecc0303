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
