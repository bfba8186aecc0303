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
