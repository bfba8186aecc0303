-- organisations: what a token may see, by slug
SELECT o.id, o.slug, o.name, o.kind, o.created_at
FROM organisation o
WHERE (%(scope)s::integer IS NULL OR o.id = %(scope)s) AND o.slug > %(after)s
ORDER BY o.slug
LIMIT %(limit)s;

-- sites: with their geometries, by id after a cursor
SELECT s.id, s.slug, o.slug AS organisation, parent.slug AS parent, s.name, s.kind, s.geometry
FROM site s
JOIN organisation o ON o.id = s.organisation_id
LEFT JOIN site parent ON parent.id = s.parent_id
WHERE s.id > %(after)s
  AND (%(scope)s::integer IS NULL OR s.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(kind)s::text IS NULL OR s.kind = %(kind)s)
ORDER BY s.id
LIMIT %(limit)s;

-- devices: by id after a cursor, with when and where each was last heard; a site means also the sites below it
WITH RECURSIVE below AS (
    SELECT id FROM site WHERE slug = %(site)s::text
    UNION
    SELECT s.id FROM site s JOIN below b ON s.parent_id = b.id
), page AS MATERIALIZED (
    SELECT d.id, d.external_id, o.slug AS organisation, d.name, p.slug AS profile, p.kind, p.expected_interval,
           s.slug AS site, d.source, d.status, d.longitude, d.latitude, d.tags,
           g.external_id AS gateway
    FROM device d
    JOIN organisation o ON o.id = d.organisation_id
    LEFT JOIN profile p ON p.id = d.profile_id
    LEFT JOIN site s ON s.id = d.site_id
    LEFT JOIN device g ON g.id = d.gateway_id
    WHERE d.id > %(after)s
      AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
      AND (%(device_id)s::integer IS NULL OR d.id = %(device_id)s)
      AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
      AND (%(site)s::text IS NULL OR d.site_id IN (SELECT id FROM below))
      AND (%(profile)s::text IS NULL OR p.slug = %(profile)s)
      AND (%(status)s::text IS NULL OR d.status = %(status)s)
      AND (%(q)s::text IS NULL OR strpos(lower(d.name), lower(%(q)s)) > 0
           OR strpos(lower(d.external_id), lower(%(q)s)) > 0)
    ORDER BY d.id
    LIMIT %(limit)s
)
SELECT page.id, page.external_id, page.organisation, page.name, page.profile, page.kind, page.site, page.source,
       page.status, page.longitude, page.latitude, page.tags, page.gateway, heard.received_at AS last_contact_at,
       -- Three missed intervals are silence; without a known interval a day is.
       COALESCE(heard.online AND heard.received_at > now() - GREATEST(3 * page.expected_interval, '10 minutes'::interval,
           CASE WHEN page.expected_interval IS NULL THEN '1 day'::interval END), false) AS online,
       fix.longitude AS fix_longitude, fix.latitude AS fix_latitude, fix.observed_at AS fix_observed_at
FROM page
LEFT JOIN LATERAL (
    SELECT c.received_at, c.online FROM contact c WHERE c.device_id = page.id ORDER BY c.received_at DESC LIMIT 1
) heard ON true
LEFT JOIN LATERAL (
    SELECT f.longitude, f.latitude, f.observed_at FROM position f
    WHERE f.device_id = page.id AND f.quality & 4 = 0 ORDER BY f.observed_at DESC LIMIT 1
) fix ON true
ORDER BY page.id;

-- matching: ids of the devices that a request names, lowest first
SELECT d.id, d.external_id, o.slug AS organisation
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(device_id)s::integer IS NULL OR d.id = %(device_id)s)
  AND d.id > %(after)s
ORDER BY d.id
LIMIT %(limit)s;

-- series: by id after a cursor, each with its latest reading
WITH page AS MATERIALIZED (
    SELECT s.id, s.device_id, d.external_id AS device, o.slug AS organisation, s.metric, s.unit, s.kind
    FROM series s
    JOIN device d ON d.id = s.device_id
    JOIN organisation o ON o.id = d.organisation_id
    WHERE s.id > %(after)s
      AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
      AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
      AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
      AND (%(device_id)s::integer IS NULL OR s.device_id = %(device_id)s)
      AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
    ORDER BY s.id
    LIMIT %(limit)s
)
SELECT page.id, page.device_id, page.device, page.organisation, page.metric, page.unit, page.kind,
       latest.observed_at AS latest_observed_at, latest.value AS latest_value, latest.quality AS latest_quality
FROM page
LEFT JOIN LATERAL (
    SELECT r.observed_at, r.value, r.quality FROM reading r
    WHERE r.series_id = page.id ORDER BY r.observed_at DESC LIMIT 1
) latest ON true
ORDER BY page.id;
