-- organisations: those named that the asker may see
SELECT slug, id FROM organisation
WHERE slug = ANY (%(slugs)s::text[]) AND (%(scope)s::integer IS NULL OR id = %(scope)s);

-- sites: of some organisations
SELECT organisation_id, slug, id FROM site WHERE organisation_id = ANY (%(organisations)s::integer[]);

-- devices: those named
SELECT d.organisation_id, d.external_id, d.id, d.name, d.profile_id, d.site_id, d.source, d.status, d.longitude,
       d.latitude, d.tags, g.external_id, d.people, d.customers, d.supplies_site
FROM unnest(%(organisations)s::integer[], %(external_ids)s::text[]) AS w (organisation_id, external_id)
JOIN device d ON d.organisation_id = w.organisation_id AND d.external_id = w.external_id
LEFT JOIN device g ON g.id = d.gateway_id;

-- subjects: those named
SELECT s.organisation_id, s.slug, s.id
FROM unnest(%(organisations)s::integer[], %(slugs)s::text[]) AS w (organisation_id, slug)
JOIN subject s ON s.organisation_id = w.organisation_id AND s.slug = w.slug;

-- deployments: of some devices
SELECT e.device_id, e.id, s.slug, lower(e.during), upper(e.during)
FROM deployment e JOIN subject s ON s.id = e.subject_id
WHERE e.device_id = ANY (%(devices)s::integer[])
ORDER BY e.device_id, e.during;

-- change: bring devices to what is said
UPDATE device d
SET name = w.name, profile_id = w.profile_id, site_id = w.site_id, source = w.source, status = w.status,
    longitude = w.longitude, latitude = w.latitude, tags = string_to_array(w.tags, chr(31)),
    people = w.people, customers = w.customers, supplies_site = w.supplies_site
FROM unnest(%(ids)s::integer[], %(names)s::text[], %(profile_ids)s::integer[], %(site_ids)s::integer[],
            %(sources)s::text[], %(statuses)s::text[], %(longitudes)s::double precision[],
            %(latitudes)s::double precision[], %(tags)s::text[], %(people)s::integer[], %(customers)s::integer[],
            %(supply_site)s::boolean[])
     AS w (id, name, profile_id, site_id, source, status, longitude, latitude, tags, people, customers, supplies_site)
WHERE d.id = w.id;

-- hang_new: through which other devices new ones are heard, all by their names
UPDATE device d SET gateway_id = g.id
FROM unnest(%(organisations)s::integer[], %(external_ids)s::text[], %(gateways)s::text[])
     AS w (organisation_id, external_id, gateway)
JOIN device g ON g.organisation_id = w.organisation_id AND g.external_id = w.gateway
WHERE d.organisation_id = w.organisation_id AND d.external_id = w.external_id AND d.gateway_id IS DISTINCT FROM g.id;

-- hang: through which other devices devices are heard from now on
UPDATE device d SET gateway_id = g.id
FROM unnest(%(ids)s::integer[], %(gateways)s::text[]) AS w (id, gateway), device g
WHERE d.id = w.id AND g.organisation_id = d.organisation_id AND g.external_id = w.gateway
  AND d.gateway_id IS DISTINCT FROM g.id;

-- create_subjects: make subjects; a species may be said by its common name
INSERT INTO subject (organisation_id, slug, name, kind, species)
SELECT w.organisation_id, w.slug, w.slug, w.kind,
       coalesce((SELECT k.name FROM species k
                 WHERE lower(w.species) IN (lower(k.name), lower(nullif(k.common_name, '')))
                 ORDER BY k.name LIMIT 1), w.species)
FROM unnest(%(organisations)s::integer[], %(slugs)s::text[], %(kinds)s::text[], %(species)s::text[])
     AS w (organisation_id, slug, kind, species)
ON CONFLICT (organisation_id, slug) DO NOTHING;

-- deploy: put devices on subjects, both by their names
INSERT INTO deployment (device_id, subject_id, during)
SELECT d.id, s.id, tstzrange(w.since, w.until)
FROM unnest(%(organisations)s::integer[], %(external_ids)s::text[], %(subjects)s::text[], %(since)s::timestamptz[],
            %(until)s::timestamptz[]) AS w (organisation_id, external_id, subject, since, until)
JOIN device d ON d.organisation_id = w.organisation_id AND d.external_id = w.external_id
JOIN subject s ON s.organisation_id = w.organisation_id AND s.slug = w.subject;

-- end_deployments: let deployments end at other times
UPDATE deployment e SET during = tstzrange(lower(e.during), w.until)
FROM unnest(%(ids)s::integer[], %(until)s::timestamptz[]) AS w (id, until)
WHERE e.id = w.id;

-- export: every device of an organisation, with the subject that it is on or was on last
SELECT o.slug AS organisation, d.external_id, d.name, p.slug AS profile, s.slug AS site, d.source, d.status, d.longitude,
       d.latitude, d.tags, g.external_id AS gateway, d.people, d.customers, d.supplies_site, e.subject, e.kind AS subject_kind, e.species, e.since AS deployed_since,
       e.until AS deployed_until
FROM device d
JOIN organisation o ON o.id = d.organisation_id
LEFT JOIN profile p ON p.id = d.profile_id
LEFT JOIN site s ON s.id = d.site_id
LEFT JOIN device g ON g.id = d.gateway_id
LEFT JOIN LATERAL (
    SELECT u.slug AS subject, u.kind, u.species, lower(y.during) AS since, upper(y.during) AS until
    FROM deployment y JOIN subject u ON u.id = y.subject_id
    WHERE y.device_id = d.id
    ORDER BY lower(y.during) DESC NULLS LAST
    LIMIT 1
) e ON true
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
ORDER BY o.slug, d.external_id;
