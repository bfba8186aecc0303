-- ensure: make a profile, or bring it to what is said
INSERT INTO profile (slug, name, kind, expected_interval, description, maximum_speed)
VALUES (%(slug)s, %(name)s, %(kind)s, %(expected_interval)s, coalesce(%(description)s, ''), %(maximum_speed)s)
ON CONFLICT (slug) DO UPDATE
SET name = EXCLUDED.name, kind = EXCLUDED.kind,
    expected_interval = coalesce(EXCLUDED.expected_interval, profile.expected_interval),
    description = coalesce(%(description)s, profile.description),
    maximum_speed = coalesce(EXCLUDED.maximum_speed, profile.maximum_speed)
RETURNING id;

-- replace: make a profile exactly what is said
INSERT INTO profile (slug, name, kind, expected_interval, description, maximum_speed)
VALUES (%(slug)s, %(name)s, %(kind)s, %(expected_interval)s, coalesce(%(description)s, ''), %(maximum_speed)s)
ON CONFLICT (slug) DO UPDATE
SET name = EXCLUDED.name, kind = EXCLUDED.kind, expected_interval = EXCLUDED.expected_interval,
    description = EXCLUDED.description, maximum_speed = EXCLUDED.maximum_speed
RETURNING id;

-- ensure_metrics: make metrics of a profile, or bring them to what is said
INSERT INTO profile_metric (profile_id, metric, unit, kind, register_modulus, minimum, maximum, range_source,
                            resolution, maximum_per_hour)
SELECT %(profile_id)s, m.metric, m.unit, m.kind, m.register_modulus, m.minimum, m.maximum, m.range_source, m.resolution,
       m.maximum_per_hour
FROM unnest(%(metrics)s::text[], %(units)s::text[], %(kinds)s::text[], %(moduli)s::double precision[],
            %(minima)s::double precision[], %(maxima)s::double precision[], %(sources)s::text[],
            %(resolutions)s::double precision[], %(rates)s::double precision[])
     AS m (metric, unit, kind, register_modulus, minimum, maximum, range_source, resolution, maximum_per_hour)
ON CONFLICT (profile_id, metric) DO UPDATE
SET unit = EXCLUDED.unit, kind = EXCLUDED.kind, register_modulus = EXCLUDED.register_modulus,
    minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum, range_source = EXCLUDED.range_source,
    resolution = EXCLUDED.resolution, maximum_per_hour = EXCLUDED.maximum_per_hour;

-- forget_metrics: remove the metrics of a profile that are not among those named
DELETE FROM profile_metric WHERE profile_id = %(profile_id)s AND NOT metric = ANY (%(metrics)s::text[]);

-- units_to_adopt: the pairs of units that series of some devices and their profiles differ in
SELECT DISTINCT s.unit, m.unit
FROM series s
JOIN device d ON d.id = s.device_id
JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = s.metric
WHERE (d.id = ANY (%(device_ids)s::integer[]) OR d.profile_id = %(profile_id)s)
  AND s.unit <> '' AND s.unit <> m.unit;

-- adopt: give series that exist the kind and register width of their device's profile, and a unit if they had none
-- A width is in the series' own unit; it is unknown where the two units measure different things.
WITH wanted AS (
    SELECT s.id, m.kind, CASE s.unit WHEN '' THEN m.unit ELSE s.unit END AS unit,
           m.register_modulus * CASE WHEN s.unit IN ('', m.unit) THEN 1 ELSE c.factor END AS register_modulus
    FROM series s
    JOIN device d ON d.id = s.device_id
    JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = s.metric
    LEFT JOIN unnest(%(units)s::text[], %(profile_units)s::text[], %(factors)s::double precision[])
              AS c (unit, profile_unit, factor) ON c.unit = s.unit AND c.profile_unit = m.unit
    WHERE d.id = ANY (%(device_ids)s::integer[]) OR d.profile_id = %(profile_id)s
)
UPDATE series s
SET kind = w.kind, unit = w.unit, register_modulus = w.register_modulus
FROM wanted w
WHERE s.id = w.id AND (s.kind, s.unit, s.register_modulus) IS DISTINCT FROM (w.kind, w.unit, w.register_modulus);

-- list: profiles by slug after a cursor, each with its metrics and how many devices have it
SELECT p.id, p.slug, p.name, p.kind, p.expected_interval, p.description, p.maximum_speed,
       (SELECT count(*) FROM device d
        WHERE d.profile_id = p.id AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)) AS devices,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
            'metric', m.metric, 'unit', m.unit, 'kind', m.kind, 'register_modulus', m.register_modulus,
            'minimum', m.minimum, 'maximum', m.maximum, 'range_source', m.range_source,
            'resolution', m.resolution, 'maximum_per_hour', m.maximum_per_hour) ORDER BY m.metric)
        FROM profile_metric m WHERE m.profile_id = p.id), '[]') AS metrics
FROM profile p
WHERE p.slug > %(after)s AND (%(slug)s::text IS NULL OR p.slug = %(slug)s)
ORDER BY p.slug
LIMIT %(limit)s;

-- find: ids of profiles by their slugs
SELECT slug, id FROM profile WHERE slug = ANY (%(slugs)s::text[]);

-- apply: give a profile to devices: those named, those of a source, those with a tag
UPDATE device d
SET profile_id = %(profile_id)s
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR d.organisation_id = (SELECT id FROM organisation WHERE slug = %(organisation)s))
  AND (%(devices)s::text[] IS NULL OR d.external_id = ANY (%(devices)s::text[]))
  AND (%(source)s::text IS NULL OR d.source = %(source)s)
  AND (%(tag)s::text IS NULL OR %(tag)s = ANY (d.tags))
  AND (%(without_profile)s IS FALSE OR d.profile_id IS NULL)
RETURNING d.id;

-- delete: remove a profile that no device has
DELETE FROM profile WHERE slug = %(slug)s AND NOT EXISTS (SELECT 1 FROM device d WHERE d.profile_id = profile.id)
RETURNING id;

-- species: kinds of animals by scientific name after a cursor
SELECT name, common_name, maximum_speed, source
FROM species
WHERE name > %(after)s AND (%(name)s::text IS NULL OR name = %(name)s)
ORDER BY name
LIMIT %(limit)s;

-- ensure_species: make a species exactly what is said
INSERT INTO species (name, common_name, maximum_speed, source)
VALUES (%(name)s, %(common_name)s, %(maximum_speed)s, %(source)s)
ON CONFLICT (name) DO UPDATE
SET common_name = EXCLUDED.common_name, maximum_speed = EXCLUDED.maximum_speed, source = EXCLUDED.source;
