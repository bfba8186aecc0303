-- renew_hourly: aggregate those hours of those series again from what is stored
-- Raw readings only ever become more, except where retention dropped them: then the older aggregate is the truer one.
-- Implausible values (veldwatch.model.telemetry.Quality.IMPLAUSIBLE, 4) stay out: one sentinel would be the minimum.
INSERT INTO reading_hourly_rollup AS stored (bucket, series_id, count, minimum, maximum, total, first, last)
SELECT touched.bucket, touched.series_id, a.count, a.minimum, a.maximum, a.total, a.first, a.last
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(r.value) AS minimum, max(r.value) AS maximum, sum(r.value) AS total,
           (array_agg(r.value ORDER BY r.observed_at))[1] AS first,
           (array_agg(r.value ORDER BY r.observed_at DESC))[1] AS last
    FROM reading_raw r
    WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
      AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 hour'
) a
WHERE a.count > 0
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET count = EXCLUDED.count, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, total = EXCLUDED.total,
    first = EXCLUDED.first, last = EXCLUDED.last
WHERE EXCLUDED.count >= stored.count;

-- renew_daily: aggregate those days of those series again from their hours
INSERT INTO reading_daily_rollup AS stored (bucket, series_id, count, minimum, maximum, total, first, last)
SELECT touched.bucket, touched.series_id, a.count, a.minimum, a.maximum, a.total, a.first, a.last
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
CROSS JOIN LATERAL (
    SELECT sum(h.count)::bigint AS count, min(h.minimum) AS minimum, max(h.maximum) AS maximum, sum(h.total) AS total,
           (array_agg(h.first ORDER BY h.bucket))[1] AS first,
           (array_agg(h.last ORDER BY h.bucket DESC))[1] AS last
    FROM reading_hourly_rollup h
    WHERE h.series_id = touched.series_id
      AND h.bucket >= touched.bucket AND h.bucket < touched.bucket + interval '1 day'
) a
WHERE a.count > 0
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET count = EXCLUDED.count, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, total = EXCLUDED.total,
    first = EXCLUDED.first, last = EXCLUDED.last
WHERE EXCLUDED.count >= stored.count;

-- take_turn: let no other maintenance roll up at the same time
SELECT pg_try_advisory_xact_lock(hashtext('rollups'));

-- count: the readings that the hourly rollups hold, all of them: for benchmarks and tests
SELECT sum(count) FROM reading_hourly;
