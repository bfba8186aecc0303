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
    FROM reading r
    WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
      AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 hour'
) a
WHERE a.count > 0
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET count = EXCLUDED.count, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, total = EXCLUDED.total,
    first = EXCLUDED.first, last = EXCLUDED.last
WHERE EXCLUDED.count > stored.count OR NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'reading' AND m.source_id IN (0, stored.series_id) AND m.dropped_before > stored.bucket);

-- renew_corrected: the same for series that have corrections: those count in place of what was said
-- What retention dropped is truer than as many that came late; not than what somebody said just now in place of it, or that
-- it counts no more.
INSERT INTO reading_hourly_rollup AS stored (bucket, series_id, count, minimum, maximum, total, first, last)
SELECT touched.bucket, touched.series_id, a.count, a.minimum, a.maximum, a.total, a.first, a.last
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(r.value) AS minimum, max(r.value) AS maximum, sum(r.value) AS total,
           (array_agg(r.value ORDER BY r.observed_at))[1] AS first,
           (array_agg(r.value ORDER BY r.observed_at DESC))[1] AS last
    FROM reading_validated r
    WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
      AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 hour'
) a
WHERE a.count > 0
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET count = EXCLUDED.count, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, total = EXCLUDED.total,
    first = EXCLUDED.first, last = EXCLUDED.last
WHERE EXCLUDED.count > stored.count
   OR (%(said)s AND EXCLUDED.count = stored.count AND EXISTS (
           SELECT FROM validated_reading v WHERE v.series_id = stored.series_id
           AND v.observed_at >= stored.bucket AND v.observed_at < stored.bucket + interval '1 hour'))
   OR NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'reading' AND m.source_id IN (0, stored.series_id) AND m.dropped_before > stored.bucket);

-- empty_hours: hours that nothing counts in any more, because an estimate was withdrawn
-- One by one: a DELETE that joins opens every segment of a columnstore. OFFSET 0: looked up, never joined.
WITH emptied AS MATERIALIZED (
    SELECT touched.series_id, touched.bucket
    FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
    WHERE EXISTS (
          SELECT FROM reading_hourly_rollup h
          WHERE h.series_id = touched.series_id AND h.bucket = touched.bucket
          OFFSET 0)
      AND NOT EXISTS (
          SELECT FROM reading_validated r
          WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
            AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 hour'
          OFFSET 0)
      AND NOT EXISTS (
          SELECT FROM retention_mark m
          WHERE m.what = 'reading' AND m.source_id IN (0, touched.series_id) AND m.dropped_before > touched.bucket)
)
SELECT delete_stretch('reading_hourly_rollup', 'series_id', 'bucket', ARRAY[e.series_id], e.bucket,
                      e.bucket + interval '1 hour')
FROM emptied e;

-- renew_daily: aggregate those days of those series again from their hours; a day that is there and lost hours stays
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
WHERE NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'hourly' AND m.source_id IN (0, stored.series_id) AND m.dropped_before > stored.bucket);

-- renew_daily_alone: those of these days of which retention dropped hours and not the readings, from what is stored: their
-- hours would tell of a part of the day
INSERT INTO reading_daily_rollup AS stored (bucket, series_id, count, minimum, maximum, total, first, last)
SELECT touched.bucket, touched.series_id, a.count, a.minimum, a.maximum, a.total, a.first, a.last
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(r.value) AS minimum, max(r.value) AS maximum, sum(r.value) AS total,
           (array_agg(r.value ORDER BY r.observed_at))[1] AS first,
           (array_agg(r.value ORDER BY r.observed_at DESC))[1] AS last
    FROM reading_validated r
    WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
      AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 day'
) a
WHERE a.count > 0
  AND EXISTS (
      SELECT FROM retention_mark m
      WHERE m.what = 'hourly' AND m.source_id IN (0, touched.series_id) AND m.dropped_before > touched.bucket)
  AND NOT EXISTS (
      SELECT FROM retention_mark m
      WHERE m.what = 'reading' AND m.source_id IN (0, touched.series_id) AND m.dropped_before > touched.bucket)
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET count = EXCLUDED.count, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, total = EXCLUDED.total,
    first = EXCLUDED.first, last = EXCLUDED.last;

-- empty_days: days without an hour, because an estimate was withdrawn; where retention dropped hours, days without a reading
DELETE FROM reading_daily_rollup y
USING unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
WHERE y.series_id = touched.series_id AND y.bucket = touched.bucket
  AND NOT EXISTS (
      SELECT FROM reading_hourly_rollup h
      WHERE h.series_id = touched.series_id
        AND h.bucket >= touched.bucket AND h.bucket < touched.bucket + interval '1 day')
  AND (NOT EXISTS (
           SELECT FROM retention_mark m
           WHERE m.what = 'hourly' AND m.source_id IN (0, y.series_id) AND m.dropped_before > y.bucket)
       OR NOT EXISTS (
           SELECT FROM retention_mark m
           WHERE m.what = 'reading' AND m.source_id IN (0, y.series_id) AND m.dropped_before > y.bucket)
          AND NOT EXISTS (
           SELECT FROM reading_validated r
           WHERE r.series_id = touched.series_id AND r.quality & 4 = 0
             AND r.observed_at >= touched.bucket AND r.observed_at < touched.bucket + interval '1 day'
           OFFSET 0));

-- corrected: which of some series have corrections
SELECT DISTINCT v.series_id FROM validated_reading v WHERE v.series_id = ANY (%(series_ids)s::integer[]);

-- is_due: whether hours are due
SELECT EXISTS (SELECT FROM rollup_due);

-- due: hours that are to be rolled up again though the log says nothing of them, taken off the list; not those that
-- somebody makes due just now: what for is not to be seen yet
WITH taken AS MATERIALIZED (
    SELECT series_id, bucket FROM rollup_due ORDER BY series_id, bucket LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
DELETE FROM rollup_due d USING taken t WHERE d.series_id = t.series_id AND d.bucket = t.bucket
RETURNING d.series_id, (extract(epoch FROM d.bucket) * 1000000)::bigint AS bucket;

-- make_due: roll up again every hour of a stretch in which something was said
INSERT INTO rollup_due (series_id, bucket)
SELECT DISTINCT r.series_id, bucket(interval '1 hour', r.observed_at)
FROM reading r
WHERE r.observed_at >= %(since)s AND r.observed_at < %(until)s
ORDER BY 1, 2
-- Held until the commit, so that nobody takes it off the list meanwhile.
ON CONFLICT (series_id, bucket) DO UPDATE SET bucket = EXCLUDED.bucket;

-- take_turn: let no other maintenance roll up at the same time
SELECT pg_try_advisory_xact_lock(hashtext('rollups'));

-- count: the readings that the hourly rollups hold, all of them: for benchmarks and tests
SELECT sum(count) FROM reading_hourly;
