-- known: whether the organisation that an export names is there, and its device; true where none is named
SELECT EXISTS (SELECT FROM organisation o WHERE o.slug = %(organisation)s),
       %(device)s::text IS NULL OR EXISTS (
           SELECT FROM device d JOIN organisation o ON o.id = d.organisation_id
           WHERE o.slug = %(organisation)s AND d.external_id = %(device)s);

-- series: every series that an export names, by device, then metric
SELECT s.id, d.external_id, s.metric, s.unit
FROM series s
JOIN device d ON d.id = s.device_id
JOIN organisation o ON o.id = d.organisation_id
WHERE o.slug = %(organisation)s
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
ORDER BY d.external_id, s.metric;

-- devices: every device that an export names, by its identifier
SELECT d.id, d.external_id
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE o.slug = %(organisation)s AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
ORDER BY d.external_id;

-- readings: readings of some series, in the order that they are named in, oldest first
SELECT r.observed_at, r.series_id, r.delay_seconds, r.quality, r.value
FROM unnest(%(ids)s::integer[]) WITH ORDINALITY AS s (id, place)
CROSS JOIN LATERAL (
    SELECT v.observed_at, v.series_id, v.delay_seconds, v.quality,
           value_of(v.divisor, v.scaled, v.value) AS value
    FROM reading_raw v
    WHERE v.series_id = s.id AND v.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND v.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
    ORDER BY v.observed_at
) r;

-- positions: fixes of some devices, in the order that they are named in, oldest first; NaN where a part is unknown
SELECT f.observed_at, f.device_id, f.delay_seconds, f.quality, f.longitude, f.latitude,
       COALESCE(f.altitude, 'NaN'), COALESCE(f.accuracy, 'NaN'), COALESCE(f.speed, 'NaN'), COALESCE(f.heading, 'NaN')
FROM unnest(%(ids)s::integer[]) WITH ORDINALITY AS d (id, place)
CROSS JOIN LATERAL (
    SELECT p.*
    FROM position_raw p
    WHERE p.device_id = d.id AND p.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND p.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
    ORDER BY p.observed_at
) f;

-- animals: which subject each device was on, and when
SELECT p.device_id, lower(p.during), upper(p.during), s.name, COALESCE(s.species, '')
FROM deployment p
JOIN subject s ON s.id = p.subject_id
WHERE p.device_id = ANY(%(ids)s::integer[])
ORDER BY p.device_id, lower(p.during);
