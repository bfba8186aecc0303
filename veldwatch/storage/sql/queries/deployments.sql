-- ensure_subject: make a subject, or bring it to what is said; a species may be said by its common name, in any case
INSERT INTO subject (organisation_id, slug, name, kind, species, maximum_speed)
VALUES (%(organisation_id)s, %(slug)s, %(name)s, %(kind)s,
        coalesce((SELECT k.name FROM species k
                  WHERE lower(%(species)s::text) IN (lower(k.name), lower(nullif(k.common_name, '')))
                  ORDER BY k.name LIMIT 1), %(species)s), %(maximum_speed)s)
ON CONFLICT (organisation_id, slug) DO UPDATE
SET name = EXCLUDED.name, kind = EXCLUDED.kind, species = coalesce(EXCLUDED.species, subject.species),
    maximum_speed = coalesce(EXCLUDED.maximum_speed, subject.maximum_speed)
RETURNING id;

-- subjects: by id after a cursor, each with the device that is on it now
SELECT s.id, s.slug, o.slug AS organisation, s.organisation_id, s.name, s.kind, s.species, s.maximum_speed,
       coalesce(s.maximum_speed, k.maximum_speed) AS speed_limit,
       (SELECT jsonb_agg(jsonb_build_object('device_id', d.id, 'device', d.external_id) ORDER BY d.id)
        FROM deployment e JOIN device d ON d.id = e.device_id
        WHERE e.subject_id = s.id AND e.during @> now()) AS devices
FROM subject s
JOIN organisation o ON o.id = s.organisation_id
LEFT JOIN species k ON k.name = s.species
WHERE s.id > %(after)s
  AND (%(scope)s::integer IS NULL OR s.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(slug)s::text IS NULL OR s.slug = %(slug)s)
  AND (%(kind)s::text IS NULL OR s.kind = %(kind)s)
  AND (%(species)s::text IS NULL OR s.species = %(species)s)
ORDER BY s.id
LIMIT %(limit)s;

-- lock: let one writer at a time change a device's deployments
SELECT id FROM device WHERE id = %(device_id)s FOR UPDATE;

-- overlapping: deployments of a device within a range, oldest first
SELECT e.id, s.slug, lower(e.during), upper(e.during)
FROM deployment e JOIN subject s ON s.id = e.subject_id
WHERE e.device_id = %(device_id)s AND e.during && tstzrange(%(since)s, %(until)s)
  AND (%(except_id)s::integer IS NULL OR e.id <> %(except_id)s)
ORDER BY e.during;

-- insert: put a device on a subject during a range
INSERT INTO deployment (device_id, subject_id, during)
VALUES (%(device_id)s, %(subject_id)s, tstzrange(%(since)s, %(until)s))
RETURNING id;

-- end_open: end the open deployment of a device that began before a time
UPDATE deployment SET during = tstzrange(lower(during), %(at)s)
WHERE device_id = %(device_id)s AND during @> %(at)s::timestamptz AND upper_inf(during)
  AND (lower_inf(during) OR lower(during) < %(at)s)
RETURNING id;

-- end_on_others: end the open deployment of a device on another subject
UPDATE deployment SET during = tstzrange(lower(during), %(since)s)
WHERE device_id = %(device_id)s AND subject_id <> %(subject_id)s AND upper_inf(during)
  AND (lower_inf(during) OR lower(during) < %(since)s);

-- begin: put a device on a subject, unless it is on it at that time
INSERT INTO deployment (device_id, subject_id, during)
SELECT %(device_id)s, %(subject_id)s, tstzrange(%(since)s, NULL)
WHERE NOT EXISTS (
    SELECT 1 FROM deployment
    WHERE device_id = %(device_id)s AND subject_id = %(subject_id)s AND during @> %(since)s::timestamptz
);

-- set_range: correct when a deployment began and ended
UPDATE deployment SET during = tstzrange(%(since)s, %(until)s) WHERE id = %(id)s
RETURNING id;

-- delete: forget a deployment that never was
DELETE FROM deployment WHERE id = %(id)s RETURNING id;

-- list: deployments of a device or on a subject, newest first
SELECT e.id, e.device_id, d.external_id AS device, e.subject_id, s.slug AS subject, s.name AS subject_name, s.kind,
       s.species, o.slug AS organisation, lower(e.during) AS since, upper(e.during) AS until
FROM deployment e
JOIN device d ON d.id = e.device_id
JOIN subject s ON s.id = e.subject_id
JOIN organisation o ON o.id = s.organisation_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(id)s::integer IS NULL OR e.id = %(id)s)
  AND (%(device_id)s::integer IS NULL OR e.device_id = %(device_id)s)
  AND (%(subject_id)s::integer IS NULL OR e.subject_id = %(subject_id)s)
  AND (%(since)s::timestamptz IS NULL OR e.during && tstzrange(%(since)s, NULL))
  AND (%(until)s::timestamptz IS NULL OR e.during && tstzrange(NULL, %(until)s))
ORDER BY lower(e.during) DESC NULLS LAST, e.id DESC
LIMIT 1000;

-- readings_asc: readings of whatever device was on a subject when they were made, oldest first, after a cursor
-- A new meter's reading at the very moment of the exchange is after the old one's: by series id.
SELECT r.*, w.device_id, w.device, w.metric, w.unit
FROM (
    SELECT s.id, s.metric, s.unit, d.id AS device_id, d.external_id AS device, e.during
    FROM deployment e
    JOIN device d ON d.id = e.device_id
    JOIN series s ON s.device_id = d.id
    WHERE e.subject_id = %(subject_id)s AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
) w
CROSS JOIN LATERAL (
    SELECT v.observed_at, v.received_at, v.series_id, v.value, v.quality
    FROM reading v
    WHERE v.series_id = w.id
      AND v.observed_at >= GREATEST(COALESCE(lower(w.during), '-infinity'), %(since)s::timestamptz, %(after)s::timestamptz)
      AND v.observed_at < LEAST(COALESCE(upper(w.during), 'infinity'), %(until)s::timestamptz)
      AND (%(after)s::timestamptz IS NULL OR (v.observed_at, w.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.observed_at
    LIMIT %(limit)s
) r
ORDER BY r.observed_at, r.series_id
LIMIT %(limit)s;

-- readings_desc: the same, newest first
SELECT r.*, w.device_id, w.device, w.metric, w.unit
FROM (
    SELECT s.id, s.metric, s.unit, d.id AS device_id, d.external_id AS device, e.during
    FROM deployment e
    JOIN device d ON d.id = e.device_id
    JOIN series s ON s.device_id = d.id
    WHERE e.subject_id = %(subject_id)s AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
) w
CROSS JOIN LATERAL (
    SELECT v.observed_at, v.received_at, v.series_id, v.value, v.quality
    FROM reading v
    WHERE v.series_id = w.id
      AND v.observed_at >= GREATEST(COALESCE(lower(w.during), '-infinity'), %(since)s::timestamptz)
      AND v.observed_at < LEAST(COALESCE(upper(w.during), 'infinity'), %(until)s::timestamptz)
      AND v.observed_at <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (v.observed_at, w.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY v.observed_at DESC
    LIMIT %(limit)s
) r
ORDER BY r.observed_at DESC, r.series_id DESC
LIMIT %(limit)s;

-- positions_asc: fixes of whatever device was on a subject when they were made, oldest first, after a cursor
SELECT f.*, w.device, w.organisation
FROM (
    SELECT d.id, d.external_id AS device, o.slug AS organisation, e.during
    FROM deployment e JOIN device d ON d.id = e.device_id JOIN organisation o ON o.id = d.organisation_id
    WHERE e.subject_id = %(subject_id)s
) w
CROSS JOIN LATERAL (
    SELECT p.device_id, p.observed_at, p.received_at, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed,
           p.heading, p.quality
    FROM position p
    WHERE p.device_id = w.id
      AND p.observed_at >= GREATEST(COALESCE(lower(w.during), '-infinity'), %(since)s::timestamptz, %(after)s::timestamptz)
      AND p.observed_at < LEAST(COALESCE(upper(w.during), 'infinity'), %(until)s::timestamptz)
      AND (%(after)s::timestamptz IS NULL OR (p.observed_at, w.id) > (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY p.observed_at
    LIMIT %(limit)s
) f
ORDER BY f.observed_at, f.device_id
LIMIT %(limit)s;

-- positions_desc: the same, newest first
SELECT f.*, w.device, w.organisation
FROM (
    SELECT d.id, d.external_id AS device, o.slug AS organisation, e.during
    FROM deployment e JOIN device d ON d.id = e.device_id JOIN organisation o ON o.id = d.organisation_id
    WHERE e.subject_id = %(subject_id)s
) w
CROSS JOIN LATERAL (
    SELECT p.device_id, p.observed_at, p.received_at, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed,
           p.heading, p.quality
    FROM position p
    WHERE p.device_id = w.id
      AND p.observed_at >= GREATEST(COALESCE(lower(w.during), '-infinity'), %(since)s::timestamptz)
      AND p.observed_at < LEAST(COALESCE(upper(w.during), 'infinity'), %(until)s::timestamptz)
      AND p.observed_at <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (p.observed_at, w.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY p.observed_at DESC
    LIMIT %(limit)s
) f
ORDER BY f.observed_at DESC, f.device_id DESC
LIMIT %(limit)s;
