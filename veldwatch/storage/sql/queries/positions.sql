-- latest: the newest plausible fix of some devices, those that have one
SELECT d.id AS device_id, f.observed_at, f.received_at, f.longitude, f.latitude, f.altitude, f.accuracy, f.speed,
       f.heading, f.quality
FROM unnest(%(devices)s::integer[]) AS d (id)
CROSS JOIN LATERAL (
    SELECT p.* FROM position p
    WHERE p.device_id = d.id
      AND p.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND p.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND p.quality & 4 = 0
    ORDER BY p.observed_at DESC
    LIMIT 1
) f
ORDER BY d.id;

-- asc: fixes of some devices, oldest first, after a cursor
SELECT f.*
FROM unnest(%(devices)s::integer[]) AS d (id)
CROSS JOIN LATERAL (
    SELECT p.device_id, p.observed_at, p.received_at, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed,
           p.heading, p.quality
    FROM position p
    WHERE p.device_id = d.id
      AND p.observed_at >= GREATEST(COALESCE(%(since)s::timestamptz, '-infinity'), %(after)s::timestamptz)
      AND p.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (p.observed_at, d.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY p.observed_at
    LIMIT %(limit)s
) f
ORDER BY f.observed_at, f.device_id
LIMIT %(limit)s;

-- desc: fixes of some devices, newest first, after a cursor
SELECT f.*
FROM unnest(%(devices)s::integer[]) AS d (id)
CROSS JOIN LATERAL (
    SELECT p.device_id, p.observed_at, p.received_at, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed,
           p.heading, p.quality
    FROM position p
    WHERE p.device_id = d.id
      AND p.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND p.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND p.observed_at <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (p.observed_at, d.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY p.observed_at DESC
    LIMIT %(limit)s
) f
ORDER BY f.observed_at DESC, f.device_id DESC
LIMIT %(limit)s;

-- holders: the devices that a request names and that have a fix in its time range, lowest id first
SELECT d.id, d.external_id, o.slug AS organisation
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(device_id)s::integer IS NULL OR d.id = %(device_id)s)
  AND EXISTS (
      SELECT 1 FROM position p
      WHERE p.device_id = d.id
        AND p.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
        AND p.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
  )
ORDER BY d.id
LIMIT %(most)s;
