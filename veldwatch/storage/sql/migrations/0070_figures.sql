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
