-- matching: the series that a request names, lowest id first
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
ORDER BY s.id
LIMIT %(limit)s;

-- raw_asc: readings of some series, oldest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.observed_at, v.received_at, v.series_id, v.value, v.quality
    FROM reading v
    WHERE v.series_id = s.id
      AND v.observed_at >= GREATEST(COALESCE(%(since)s::timestamptz, '-infinity'), %(after)s::timestamptz)
      AND v.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.observed_at, s.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.observed_at
    LIMIT %(limit)s
) r
ORDER BY r.observed_at, r.series_id
LIMIT %(limit)s;

-- raw_desc: readings of some series, newest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.observed_at, v.received_at, v.series_id, v.value, v.quality
    FROM reading v
    WHERE v.series_id = s.id
      AND v.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND v.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND v.observed_at <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.observed_at, s.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.observed_at DESC
    LIMIT %(limit)s
) r
ORDER BY r.observed_at DESC, r.series_id DESC
LIMIT %(limit)s;

-- hour_asc: hours of some series, oldest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.bucket, v.series_id, v.count, v.minimum, v.maximum, v.average, v.first, v.last
    FROM reading_hourly v
    WHERE v.series_id = s.id
      AND v.bucket >= GREATEST(COALESCE(%(since)s::timestamptz, '-infinity'), %(after)s::timestamptz)
      AND v.bucket < COALESCE(%(until)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.bucket, s.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.bucket
    LIMIT %(limit)s
) r
ORDER BY r.bucket, r.series_id
LIMIT %(limit)s;

-- hour_desc: hours of some series, newest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.bucket, v.series_id, v.count, v.minimum, v.maximum, v.average, v.first, v.last
    FROM reading_hourly v
    WHERE v.series_id = s.id
      AND v.bucket >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND v.bucket < COALESCE(%(until)s::timestamptz, 'infinity')
      AND v.bucket <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.bucket, s.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.bucket DESC
    LIMIT %(limit)s
) r
ORDER BY r.bucket DESC, r.series_id DESC
LIMIT %(limit)s;

-- day_asc: days (UTC) of some series, oldest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.bucket, v.series_id, v.count, v.minimum, v.maximum, v.average, v.first, v.last
    FROM reading_daily v
    WHERE v.series_id = s.id
      AND v.bucket >= GREATEST(COALESCE(%(since)s::timestamptz, '-infinity'), %(after)s::timestamptz)
      AND v.bucket < COALESCE(%(until)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.bucket, s.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.bucket
    LIMIT %(limit)s
) r
ORDER BY r.bucket, r.series_id
LIMIT %(limit)s;

-- day_desc: days (UTC) of some series, newest first, after a cursor
SELECT r.*
FROM unnest(%(series)s::integer[]) AS s (id)
CROSS JOIN LATERAL (
    SELECT v.bucket, v.series_id, v.count, v.minimum, v.maximum, v.average, v.first, v.last
    FROM reading_daily v
    WHERE v.series_id = s.id
      AND v.bucket >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND v.bucket < COALESCE(%(until)s::timestamptz, 'infinity')
      AND v.bucket <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.bucket, s.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.bucket DESC
    LIMIT %(limit)s
) r
ORDER BY r.bucket DESC, r.series_id DESC
LIMIT %(limit)s;
