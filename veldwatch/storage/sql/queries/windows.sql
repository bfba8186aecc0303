-- named: series by their numbers, or by names, that the asker may see, by id
SELECT s.id AS series_id, s.metric, s.unit, s.kind, s.device_id, d.external_id AS device, d.name AS device_name,
       p.expected_interval
FROM series s
JOIN device d ON d.id = s.device_id
JOIN organisation o ON o.id = d.organisation_id
LEFT JOIN profile p ON p.id = d.profile_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(series_ids)s::integer[] IS NULL OR s.id = ANY (%(series_ids)s::integer[]))
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(device_id)s::integer IS NULL OR s.device_id = %(device_id)s)
  AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
ORDER BY s.id
LIMIT %(limit)s;

-- resolution: from which table a window is drawn, and in buckets how wide
SELECT r.source, r.step, r.zone
FROM resolution_for(%(series_ids)s::integer[], %(since)s::timestamptz, %(until)s::timestamptz, %(points)s::integer,
                    %(zone)s::text, %(singles)s::boolean) r;

-- points: mean, extremes and number of readings by bucket, by series, then time; a row of nulls is a gap
SELECT w.series_id, w.at, w.average, w.minimum, w.maximum, w.last, w.readings, w.implausible, w.source_used
FROM reading_window(%(series_ids)s::integer[], %(since)s::timestamptz, %(until)s::timestamptz, %(source)s::text,
                    %(step)s::interval, %(zone)s::text, %(registers)s::boolean) w
ORDER BY w.series_id, w.bucket;

-- singles: readings one by one, validated ones in place of raw ones, by series, then time
WITH measured AS MATERIALIZED (
    SELECT r.series_id, r.observed_at, r.value, r.quality
    FROM reading r
    WHERE r.series_id = ANY (%(series_ids)s::integer[]) AND r.observed_at >= %(since)s::timestamptz
      AND r.observed_at < %(until)s::timestamptz
    LIMIT %(limit)s
), told AS MATERIALIZED (
    SELECT c.series_id, c.observed_at, c.value
    FROM correction c
    WHERE c.series_id = ANY (%(series_ids)s::integer[]) AND c.observed_at >= %(since)s::timestamptz
      AND c.observed_at < %(until)s::timestamptz
)
SELECT coalesce(m.series_id, t.series_id) AS series_id,
       (extract(epoch FROM coalesce(m.observed_at, t.observed_at)) * 1000000)::bigint AS observed_at,
       coalesce(t.value, m.value) AS value, CASE WHEN t.value IS NULL THEN m.quality ELSE 0 END AS quality
FROM measured m
FULL JOIN told t ON t.series_id = m.series_id AND t.observed_at = m.observed_at
ORDER BY 1, 2
LIMIT %(limit)s;

-- consumption: what registers counted by bucket, as far as maintenance judged it, by series, then time
SELECT c.series_id, c.bucket, c.ends, c.amount, c.excess, c.codes, c.readings
FROM consumption_window(%(series_ids)s::integer[], %(since)s::timestamptz, %(until)s::timestamptz, %(step)s::interval,
                        %(zone)s::text) c
ORDER BY c.series_id, c.bucket;

-- judged_until: the newest hour of some registers that maintenance judged; where retention dropped those and days are shown,
-- the end of the newest day
SELECT coalesce(
    (SELECT max(c.bucket) FROM consumption_hourly c
     WHERE c.series_id = ANY (%(series_ids)s::integer[]) AND c.bucket >= %(since)s::timestamptz
       AND c.bucket < %(until)s::timestamptz),
    (SELECT least(d.bucket + interval '1 day', %(until)s::timestamptz) FROM consumption_daily d
     WHERE %(by_day)s AND d.series_id = ANY (%(series_ids)s::integer[]) AND d.bucket >= %(since)s::timestamptz
       AND d.bucket < %(until)s::timestamptz
       AND d.bucket < (SELECT max(h.dropped_before) FROM hours_dropped h
                       WHERE h.series_id = ANY (0 || %(series_ids)s::integer[]))
     ORDER BY d.bucket DESC LIMIT 1)) AS bucket;

-- buckets: begin and end of the buckets that hold some times, in their order
SELECT bucket_of(t.at, %(step)s::interval, %(zone)s::text) AS bucket,
       bucket_end(bucket_of(t.at, %(step)s::interval, %(zone)s::text), %(step)s::interval, %(zone)s::text) AS ends
FROM unnest(%(at)s::timestamptz[]) WITH ORDINALITY AS t (at, number)
ORDER BY t.number;

-- corrections: what was validated, with the raw value if there is one, by series, then time
SELECT c.series_id, c.observed_at, c.value, c.method, c.author, r.value AS raw_value
FROM correction c
LEFT JOIN LATERAL (
    SELECT v.value FROM reading v WHERE v.series_id = c.series_id AND v.observed_at = c.observed_at
) r ON true
WHERE c.series_id = ANY (%(series_ids)s::integer[]) AND c.observed_at >= %(since)s::timestamptz
  AND c.observed_at < %(until)s::timestamptz
ORDER BY c.series_id, c.observed_at
LIMIT %(limit)s;
