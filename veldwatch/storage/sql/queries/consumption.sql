-- matching: the series that a request names, lowest id first; counters only, unless one is named by metric or number
SELECT s.id, s.metric, s.unit, s.device_id, d.external_id AS device
FROM series s
JOIN device d ON d.id = s.device_id
JOIN organisation o ON o.id = d.organisation_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(device_id)s::integer IS NULL OR s.device_id = %(device_id)s)
  AND (%(series_id)s::integer IS NULL OR s.id = %(series_id)s)
  AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
  AND (s.kind = 'counter' OR %(series_id)s::integer IS NOT NULL OR %(metric)s::text IS NOT NULL)
ORDER BY s.id
LIMIT %(limit)s;

-- beginning: when the first reading of some series was made, implausible ones left out
SELECT min(o.observed_at) AS at
FROM unnest(%(series_ids)s::integer[]) AS w (series_id)
CROSS JOIN LATERAL (
    SELECT r.observed_at FROM reading_raw r
    WHERE r.series_id = w.series_id AND r.quality & 4 = 0
    ORDER BY r.observed_at LIMIT 1
) o;

-- registers: what is known of some counters; width in the unit of the series, steps and rate in that of the profile
SELECT s.id, s.unit, m.unit AS profile_unit, s.register_modulus, m.resolution, m.maximum_per_hour, p.expected_interval,
       ARRAY(SELECT (extract(epoch FROM b.at) * 1000000)::bigint
             FROM deployment e CROSS JOIN LATERAL (VALUES (lower(e.during)), (upper(e.during))) AS b (at)
             WHERE e.device_id = s.device_id AND b.at IS NOT NULL AND isfinite(b.at)
             GROUP BY b.at ORDER BY b.at) AS exchanges
FROM series s
JOIN device d ON d.id = s.device_id
LEFT JOIN profile p ON p.id = d.profile_id
LEFT JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = s.metric
WHERE s.id = ANY (%(series_ids)s::integer[]) AND (s.kind = 'counter' OR NOT %(counters_only)s)
ORDER BY s.id;

-- anchors: where the fold of each register stood well before a time, at the end of an hour without repairs; none: at the
-- beginning of what is stored
-- Codes 16 and 32, a gap and a shared amount, leave no trace in the fold (veldwatch.model.consumption.Code).
SELECT w.number::integer - 1 AS number, a.level, (extract(epoch FROM a.level_at) * 1000000)::bigint AS level_at,
       (extract(epoch FROM a.last_at) * 1000000)::bigint AS last_at,
       (extract(epoch FROM a.bucket) * 1000000)::bigint AS bucket
FROM unnest(%(series_ids)s::integer[], %(since)s::timestamptz[]) WITH ORDINALITY AS w (series_id, since, number)
CROSS JOIN LATERAL (SELECT judged_for_good(w.series_id) AS dropped_before OFFSET 0) k
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT r.observed_at FROM reading_raw r
         WHERE r.series_id = w.series_id AND r.observed_at < w.since AND r.observed_at >= k.dropped_before
           AND r.quality & 4 = 0
         ORDER BY r.observed_at DESC OFFSET %(margin)s LIMIT 1),
        -- What retention dropped is judged for good.
        (SELECT r.observed_at FROM reading_raw r
         WHERE r.series_id = w.series_id AND r.observed_at >= k.dropped_before AND r.quality & 4 = 0
         ORDER BY r.observed_at LIMIT 1)) AS at
) n
CROSS JOIN LATERAL (
    SELECT c.bucket, c.level, c.level_at, c.last_at
    FROM consumption_hourly_rollup c
    WHERE c.series_id = w.series_id AND c.bucket <= n.at - interval '1 hour'
      AND c.codes & ~48 = 0 AND c.level_at = c.last_at
    ORDER BY c.bucket DESC LIMIT 1
) a
ORDER BY w.number;

-- readings: of each register, after a time and up to another, and so many beyond it; implausible ones left out
-- What comes late for a time whose readings retention dropped changes no figure: the steps to it and from it are gone.
SELECT w.number::integer - 1 AS number, (extract(epoch FROM o.observed_at) * 1000000)::bigint AS observed_at, o.value
FROM unnest(%(series_ids)s::integer[], %(after)s::timestamptz[], %(until)s::timestamptz[])
     WITH ORDINALITY AS w (series_id, after, until, number)
CROSS JOIN LATERAL (
    SELECT greatest(w.after, judged_for_good(w.series_id) - interval '1 microsecond') AS after OFFSET 0
) k
CROSS JOIN LATERAL (
    (SELECT r.observed_at, r.value FROM reading r
     WHERE r.series_id = w.series_id AND r.observed_at > k.after AND r.observed_at <= w.until AND r.quality & 4 = 0
     ORDER BY r.observed_at)
    UNION ALL
    (SELECT r.observed_at, r.value FROM reading r
     WHERE r.series_id = w.series_id AND r.observed_at > greatest(k.after, w.until) AND r.quality & 4 = 0
     ORDER BY r.observed_at LIMIT %(beyond)s)
) o
ORDER BY w.number, o.observed_at
LIMIT %(limit)s;

-- corrected_readings: the same for registers that have corrections: those count in place of what was said
SELECT w.number::integer - 1 AS number, (extract(epoch FROM o.observed_at) * 1000000)::bigint AS observed_at, o.value
FROM unnest(%(series_ids)s::integer[], %(after)s::timestamptz[], %(until)s::timestamptz[])
     WITH ORDINALITY AS w (series_id, after, until, number)
CROSS JOIN LATERAL (
    SELECT greatest(w.after, judged_for_good(w.series_id) - interval '1 microsecond') AS after OFFSET 0
) k
CROSS JOIN LATERAL (
    (SELECT r.observed_at, r.value FROM reading_validated r
     WHERE r.series_id = w.series_id AND r.observed_at > k.after AND r.observed_at <= w.until AND r.quality & 4 = 0
     ORDER BY r.observed_at)
    UNION ALL
    (SELECT r.observed_at, r.value FROM reading_validated r
     WHERE r.series_id = w.series_id AND r.observed_at > greatest(k.after, w.until) AND r.quality & 4 = 0
     ORDER BY r.observed_at LIMIT %(beyond)s)
) o
ORDER BY w.number, o.observed_at
LIMIT %(limit)s;

-- corrected: which of some series have corrections
SELECT DISTINCT v.series_id FROM validated_reading v WHERE v.series_id = ANY (%(series_ids)s::integer[]);

-- settled_hours: which of those hours end with the register at what it shows, and when it last showed it
SELECT c.series_id, (extract(epoch FROM c.bucket) * 1000000)::bigint AS bucket,
       (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS w (series_id, bucket)
JOIN consumption_hourly_rollup c ON c.series_id = w.series_id AND c.bucket = w.bucket
WHERE c.level_at = c.last_at;

-- save_hours: keep what was counted in hours, unless retention dropped readings that told of it
INSERT INTO consumption_hourly_rollup AS stored
       (bucket, series_id, amount, excess, codes, readings, level, level_at, last_at)
SELECT * FROM unnest(%(bucket)s::timestamptz[], %(series_id)s::integer[], %(amount)s::double precision[],
                     %(excess)s::double precision[], %(codes)s::integer[], %(readings)s::integer[],
                     %(level)s::double precision[], %(level_at)s::timestamptz[], %(last_at)s::timestamptz[])
ON CONFLICT (series_id, bucket) DO UPDATE
SET amount = EXCLUDED.amount, excess = EXCLUDED.excess, codes = EXCLUDED.codes, readings = EXCLUDED.readings,
    level = EXCLUDED.level, level_at = EXCLUDED.level_at, last_at = EXCLUDED.last_at
WHERE EXCLUDED.readings > stored.readings OR NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'reading' AND m.source_id IN (0, stored.series_id) AND m.dropped_before > stored.bucket);

-- hours_dropped: before when retention dropped hours of some registers, of those of which it did
SELECT w.series_id, (extract(epoch FROM max(m.dropped_before)) * 1000000)::bigint AS dropped_before
FROM unnest(%(series_ids)s::integer[]) AS w (series_id)
JOIN retention_mark m ON m.what = 'hourly' AND m.source_id IN (0, w.series_id)
GROUP BY w.series_id;

-- step_dropped: of which of some registers readings are gone that were judged: there is no step to the first that is left
SELECT w.series_id FROM unnest(%(series_ids)s::integer[]) AS w (series_id) WHERE judged_for_good(w.series_id) > '-infinity';

-- save_days: add up those days of those series again from their hours; a day of which retention dropped hours stays where it
-- dropped readings, too, up to the first that is left, as the step to that one is gone: from there on all hours of a day were
-- judged again
INSERT INTO consumption_daily_rollup AS stored (bucket, series_id, amount, excess, codes, readings)
SELECT touched.bucket, touched.series_id, a.amount, a.excess, a.codes, a.readings
FROM unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
CROSS JOIN LATERAL (
    SELECT sum(h.amount) AS amount, sum(h.excess) AS excess, bit_or(h.codes) AS codes, sum(h.readings)::integer AS readings
    FROM consumption_hourly_rollup h
    WHERE h.series_id = touched.series_id
      AND h.bucket >= touched.bucket AND h.bucket < touched.bucket + interval '1 day'
) a
WHERE a.readings IS NOT NULL
ORDER BY touched.series_id, touched.bucket
ON CONFLICT (series_id, bucket) DO UPDATE
SET amount = EXCLUDED.amount, excess = EXCLUDED.excess, codes = EXCLUDED.codes, readings = EXCLUDED.readings
WHERE NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'hourly' AND m.source_id IN (0, stored.series_id) AND m.dropped_before > stored.bucket)
   OR NOT EXISTS (
    SELECT FROM retention_mark m
    WHERE m.what = 'reading' AND m.source_id IN (0, stored.series_id)
      AND coalesce((SELECT min(r.observed_at) FROM reading_raw r
                    WHERE r.series_id = stored.series_id AND r.observed_at >= m.dropped_before AND r.quality & 4 = 0),
                   'infinity') > stored.bucket);

-- forget_hours: forget the hours of corrected registers that lie beyond their first and last reading: what told of them was
-- withdrawn; those of which retention dropped the readings stay
-- One by one: a DELETE that joins opens every segment of a columnstore. OFFSET 0: looked up, never joined.
WITH known AS MATERIALIZED (
    SELECT w.series_id, e.first, e.last, e.readings,
           (SELECT max(m.dropped_before) FROM retention_mark m
            WHERE m.what = 'reading' AND m.source_id IN (0, w.series_id)) AS dropped_before
    FROM unnest(%(series_ids)s::integer[]) AS w (series_id)
    CROSS JOIN LATERAL (
        SELECT bucket(interval '1 hour', min(r.observed_at)) AS first, max(r.observed_at) AS last, count(*) AS readings
        FROM reading_validated r WHERE r.series_id = w.series_id AND r.quality & 4 = 0
    ) e
    WHERE EXISTS (SELECT FROM validated_reading v WHERE v.series_id = w.series_id)
), untold AS MATERIALIZED (
    SELECT k.series_id, h.bucket
    FROM known k
    CROSS JOIN LATERAL (
        SELECT h.bucket
        FROM consumption_hourly_rollup h
        WHERE h.series_id = k.series_id AND h.bucket >= coalesce(k.dropped_before, '-infinity')
          -- before the first that is left lies the step from the last that retention dropped
          AND (k.readings = 0 OR h.bucket >= k.last
               OR (k.dropped_before IS NULL AND (k.readings = 1 OR h.bucket < k.first)))
        OFFSET 0
    ) h
)
SELECT u.series_id, bucket(interval '1 day', u.bucket)
FROM untold u
WHERE delete_stretch('consumption_hourly_rollup', 'series_id', 'bucket', ARRAY[u.series_id], u.bucket,
                     u.bucket + interval '1 hour') > 0;

-- forget_days: forget days of which no hour is left, unless retention dropped those
DELETE FROM consumption_daily_rollup d
USING unnest(%(series_ids)s::integer[], %(buckets)s::timestamptz[]) AS touched (series_id, bucket)
WHERE d.series_id = touched.series_id AND d.bucket = touched.bucket
  AND NOT EXISTS (SELECT FROM consumption_hourly_rollup h
                  WHERE h.series_id = d.series_id AND h.bucket >= d.bucket AND h.bucket < d.bucket + interval '1 day')
  AND NOT EXISTS (SELECT FROM retention_mark m
                  WHERE m.what = 'hourly' AND m.source_id IN (0, d.series_id) AND m.dropped_before > d.bucket);

-- due: registers whose whole history is to be judged again, longest due first
SELECT q.series_id, q.since FROM consumption_due q ORDER BY q.since, q.series_id LIMIT %(limit)s;

-- done: strike registers off, unless they became due again meanwhile
DELETE FROM consumption_due q
USING unnest(%(series_ids)s::integer[], %(since)s::timestamptz[]) AS w (series_id, since)
WHERE q.series_id = w.series_id AND q.since = w.since;

-- take_turn: let no other maintenance judge at the same time
SELECT pg_try_advisory_xact_lock(hashtext('consumption'));

-- subject: a subject that the asker may see
SELECT s.id, s.slug FROM subject s JOIN organisation o ON o.id = s.organisation_id
WHERE s.slug = %(subject)s
  AND (%(scope)s::integer IS NULL OR s.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
ORDER BY s.id LIMIT 2;

-- deployed: the series of a metric that were on a subject, and when, oldest first
SELECT e.id, s.id AS series_id, s.unit, (extract(epoch FROM lower(e.during)) * 1000000)::bigint AS begin,
       (extract(epoch FROM upper(e.during)) * 1000000)::bigint AS until
FROM deployment e
JOIN series s ON s.device_id = e.device_id
WHERE e.subject_id = %(subject_id)s AND s.metric = %(metric)s
ORDER BY lower(e.during) NULLS FIRST, e.id;
