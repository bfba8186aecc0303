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

-- hang: through which other device a device is heard
UPDATE device SET gateway_id = %(gateway_id)s WHERE id = %(id)s AND gateway_id IS DISTINCT FROM %(gateway_id)s;

-- find_organisations: every organisation
SELECT slug, id FROM organisation ORDER BY slug;

-- find_devices: the devices that are registered among those named
SELECT o.slug, d.external_id, o.id, d.id, d.status
FROM unnest(%(organisations)s::text[], %(external_ids)s::text[]) AS wanted (organisation, external_id)
JOIN organisation o ON o.slug = wanted.organisation
JOIN device d ON d.organisation_id = o.id AND d.external_id = wanted.external_id;

-- register_unknown: the devices of those names, made where they were unknown
-- Only what is missing is inserted, in one order for all writers (no deadlock); the conflict clause returns the row of a
-- writer that was faster, which this statement's snapshot does not see.
WITH wanted AS (
    SELECT DISTINCT external_id FROM unnest(%(external_ids)s::text[]) AS w (external_id)
), known AS (
    SELECT d.external_id, d.id FROM device d JOIN wanted USING (external_id)
    WHERE d.organisation_id = %(organisation_id)s
), made AS (
    INSERT INTO device (organisation_id, external_id, name, source, status, self_registered)
    SELECT %(organisation_id)s, external_id, external_id, %(source)s, %(status)s, %(counted)s
    FROM wanted
    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.external_id = wanted.external_id)
    ORDER BY external_id
    ON CONFLICT (organisation_id, external_id) DO UPDATE SET external_id = EXCLUDED.external_id
    RETURNING external_id, id
)
SELECT external_id, id FROM known UNION ALL SELECT external_id, id FROM made;

-- ensure_series: the series of those devices and metrics, made where they were unknown
-- A series takes its unit from the device's profile, else from who speaks first. Only what is missing is inserted, as
-- above, and because each conflict would spend an identity value. A device gets so many new ones within an hour: what
-- there is no room for is not in the result.
WITH wanted AS (
    SELECT DISTINCT ON (device_id, metric) device_id, metric, unit, number
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
), missing AS (
    SELECT w.*, row_number() OVER (PARTITION BY w.device_id ORDER BY w.number) AS place
    FROM wanted w
    WHERE NOT EXISTS (SELECT 1 FROM series s WHERE s.device_id = w.device_id AND s.metric = w.metric)
), lately AS (
    SELECT s.device_id, count(*) AS made
    FROM series s
    WHERE s.device_id IN (SELECT device_id FROM missing) AND s.created_at > now() - interval '1 hour'
    GROUP BY s.device_id
), made AS (
    INSERT INTO series (device_id, metric, unit, kind, register_modulus)
    SELECT w.device_id, w.metric, coalesce(m.unit, w.unit), coalesce(m.kind, 'gauge'), m.register_modulus
    FROM missing w
    JOIN device d ON d.id = w.device_id
    LEFT JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = w.metric
    LEFT JOIN lately l ON l.device_id = w.device_id
    WHERE w.place + coalesce(l.made, 0) <= %(most)s::bigint
    ORDER BY w.device_id, w.metric
    ON CONFLICT (device_id, metric) DO UPDATE SET metric = EXCLUDED.metric
    RETURNING device_id, metric, id, unit
)
SELECT a.device_id, a.metric, a.id, a.unit, m.minimum, m.maximum, coalesce(m.unit, '')
FROM (
    SELECT device_id, metric, id, unit FROM known
    UNION ALL SELECT device_id, metric, id, unit FROM named
    UNION ALL SELECT device_id, metric, id, unit FROM made
) a
JOIN device d ON d.id = a.device_id
LEFT JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = a.metric;

-- lock_registration: one transaction at a time counts and registers the unknown devices of an organisation
SELECT pg_advisory_xact_lock(hashtext('register_unknown'), %(organisation_id)s);

-- organisations_lately: how many organisations were made within the hour
SELECT count(*) FROM organisation WHERE created_at > now() - interval '1 hour';

-- registered_lately: how many devices of an organisation registered themselves within the hour
SELECT count(*) FROM device
WHERE organisation_id = %(organisation_id)s AND self_registered AND created_at > now() - interval '1 hour';
