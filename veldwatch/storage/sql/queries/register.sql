-- ensure_organisation: make an organisation, or bring its name and kind to what is said
INSERT INTO organisation (slug, name, kind)
VALUES (%(slug)s, coalesce(%(name)s, %(slug)s), coalesce(%(kind)s, 'utility'))
ON CONFLICT (slug) DO UPDATE
SET name = coalesce(%(name)s, organisation.name), kind = coalesce(%(kind)s, organisation.kind)
RETURNING id;

-- ensure_site: make a site, or bring it to what is said
INSERT INTO site (organisation_id, slug, name, kind, parent_id, geometry)
VALUES (%(organisation_id)s, %(slug)s, coalesce(%(name)s, %(slug)s), coalesce(%(kind)s, 'zone'), %(parent_id)s,
        %(geometry)s)
ON CONFLICT (organisation_id, slug) DO UPDATE
SET name = coalesce(%(name)s, site.name), kind = coalesce(%(kind)s, site.kind),
    parent_id = coalesce(EXCLUDED.parent_id, site.parent_id), geometry = coalesce(EXCLUDED.geometry, site.geometry)
RETURNING id;

-- ensure_profile: make a profile, or bring it to what is said
INSERT INTO profile (slug, name, kind, expected_interval)
VALUES (%(slug)s, %(name)s, %(kind)s, %(expected_interval)s)
ON CONFLICT (slug) DO UPDATE
SET name = EXCLUDED.name, kind = EXCLUDED.kind,
    expected_interval = coalesce(EXCLUDED.expected_interval, profile.expected_interval)
RETURNING id;

-- ensure_profile_metric: make a metric of a profile, or bring it to what is said
INSERT INTO profile_metric (profile_id, metric, unit, kind, register_modulus, minimum, maximum)
VALUES (%(profile_id)s, %(metric)s, %(unit)s, %(kind)s, %(register_modulus)s, %(minimum)s, %(maximum)s)
ON CONFLICT (profile_id, metric) DO UPDATE
SET unit = EXCLUDED.unit, kind = EXCLUDED.kind, register_modulus = EXCLUDED.register_modulus,
    minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum;

-- forget_profile_metrics: remove the metrics of a profile that are not among those named
DELETE FROM profile_metric WHERE profile_id = %(profile_id)s AND NOT metric = ANY (%(metrics)s::text[]);

-- adopt_profile: give series that exist the kind and register width of their device's profile, and a unit if they had none
UPDATE series s
SET kind = m.kind, register_modulus = m.register_modulus, unit = CASE s.unit WHEN '' THEN m.unit ELSE s.unit END
FROM device d JOIN profile_metric m ON m.profile_id = d.profile_id
WHERE s.device_id = d.id AND s.metric = m.metric
  AND (d.id = %(device_id)s OR d.profile_id = %(profile_id)s)
  AND (s.kind, s.register_modulus) IS DISTINCT FROM (m.kind, m.register_modulus);

-- ensure_device: make a device, or bring it to what is said; naming a pending device confirms it
INSERT INTO device (organisation_id, external_id, name, profile_id, site_id, source, status, longitude, latitude, tags)
VALUES (%(organisation_id)s, %(external_id)s, coalesce(%(name)s, %(external_id)s), %(profile_id)s, %(site_id)s,
        %(source)s, coalesce(%(status)s, 'active'), %(longitude)s, %(latitude)s, coalesce(%(tags)s::text[], '{}'))
ON CONFLICT (organisation_id, external_id) DO UPDATE
SET name = coalesce(%(name)s, device.name),
    profile_id = coalesce(EXCLUDED.profile_id, device.profile_id),
    site_id = coalesce(EXCLUDED.site_id, device.site_id),
    source = EXCLUDED.source,
    status = coalesce(%(status)s, CASE device.status WHEN 'pending' THEN 'active' ELSE device.status END),
    longitude = coalesce(EXCLUDED.longitude, device.longitude),
    latitude = coalesce(EXCLUDED.latitude, device.latitude),
    tags = coalesce(%(tags)s::text[], device.tags)
RETURNING id;

-- ensure_subject: make a subject, or bring it to what is said
INSERT INTO subject (organisation_id, slug, name, kind, species)
VALUES (%(organisation_id)s, %(slug)s, %(name)s, %(kind)s, %(species)s)
ON CONFLICT (organisation_id, slug) DO UPDATE
SET name = EXCLUDED.name, kind = EXCLUDED.kind, species = coalesce(EXCLUDED.species, subject.species)
RETURNING id;

-- end_deployment: end what another subject's open deployment of a device was
UPDATE deployment SET during = tstzrange(lower(during), %(since)s)
WHERE device_id = %(device_id)s AND subject_id <> %(subject_id)s AND upper_inf(during) AND lower(during) < %(since)s;

-- begin_deployment: put a device on a subject, unless it is on it at that time
INSERT INTO deployment (device_id, subject_id, during)
SELECT %(device_id)s, %(subject_id)s, tstzrange(%(since)s, NULL)
WHERE NOT EXISTS (
    SELECT 1 FROM deployment
    WHERE device_id = %(device_id)s AND subject_id = %(subject_id)s AND during @> %(since)s::timestamptz
);

-- find_organisations: every organisation
SELECT slug, id FROM organisation ORDER BY slug;

-- find_devices: the devices that are registered among those named
SELECT o.slug, d.external_id, o.id, d.id, d.status
FROM unnest(%(organisations)s::text[], %(external_ids)s::text[]) AS wanted (organisation, external_id)
JOIN organisation o ON o.slug = wanted.organisation
JOIN device d ON d.organisation_id = o.id AND d.external_id = wanted.external_id;

-- register_pending: the devices of those names, made where they were unknown
-- Only what is missing is inserted, in one order for all writers (no deadlock); the conflict clause returns the row of a
-- writer that was faster, which this statement's snapshot does not see.
WITH wanted AS (
    SELECT DISTINCT external_id FROM unnest(%(external_ids)s::text[]) AS w (external_id)
), known AS (
    SELECT d.external_id, d.id FROM device d JOIN wanted USING (external_id)
    WHERE d.organisation_id = %(organisation_id)s
), made AS (
    INSERT INTO device (organisation_id, external_id, name, source)
    SELECT %(organisation_id)s, external_id, external_id, %(source)s
    FROM wanted
    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.external_id = wanted.external_id)
    ORDER BY external_id
    ON CONFLICT (organisation_id, external_id) DO UPDATE SET external_id = EXCLUDED.external_id
    RETURNING external_id, id
)
SELECT external_id, id FROM known UNION ALL SELECT external_id, id FROM made;

-- ensure_series: the series of those devices and metrics, made where they were unknown
-- A series takes its unit from the device's profile, else from who speaks first. Only what is missing is inserted, as
-- above, and because each conflict would spend an identity value.
WITH wanted AS (
    SELECT DISTINCT ON (device_id, metric) device_id, metric, unit
    FROM unnest(%(device_ids)s::integer[], %(metrics)s::text[], %(units)s::text[])
         WITH ORDINALITY AS w (device_id, metric, unit, number)
    ORDER BY device_id, metric, unit = '', number
), named AS (
    UPDATE series s SET unit = w.unit
    FROM wanted w
    WHERE s.device_id = w.device_id AND s.metric = w.metric AND s.unit = '' AND w.unit <> ''
    RETURNING s.device_id, s.metric, s.id, s.unit
), known AS (
    SELECT s.device_id, s.metric, s.id, s.unit
    FROM series s JOIN wanted w ON w.device_id = s.device_id AND w.metric = s.metric
    WHERE NOT EXISTS (SELECT 1 FROM named WHERE named.id = s.id)
), made AS (
    INSERT INTO series (device_id, metric, unit, kind, register_modulus)
    SELECT w.device_id, w.metric, coalesce(m.unit, w.unit), coalesce(m.kind, 'gauge'), m.register_modulus
    FROM wanted w
    JOIN device d ON d.id = w.device_id
    LEFT JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = w.metric
    WHERE NOT EXISTS (SELECT 1 FROM series s WHERE s.device_id = w.device_id AND s.metric = w.metric)
    ORDER BY w.device_id, w.metric
    ON CONFLICT (device_id, metric) DO UPDATE SET metric = EXCLUDED.metric
    RETURNING device_id, metric, id, unit
)
SELECT device_id, metric, id, unit FROM known
UNION ALL SELECT device_id, metric, id, unit FROM named
UNION ALL SELECT device_id, metric, id, unit FROM made;
