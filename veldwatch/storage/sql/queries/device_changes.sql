-- change: what is said of a device, where `set_*` says that something is
UPDATE device d
SET name = CASE WHEN %(set_name)s THEN %(name)s::text ELSE d.name END,
    external_id = CASE WHEN %(set_external_id)s THEN %(external_id)s::text ELSE d.external_id END,
    profile_id = CASE WHEN %(set_profile)s THEN (SELECT id FROM profile WHERE slug = %(profile)s::text)
                      ELSE d.profile_id END,
    site_id = CASE WHEN %(set_site)s THEN (SELECT s.id FROM site s WHERE s.slug = %(site)s::text
                                           AND s.organisation_id = d.organisation_id) ELSE d.site_id END,
    source = CASE WHEN %(set_source)s THEN %(source)s::text ELSE d.source END,
    status = CASE WHEN %(set_status)s THEN %(status)s::text ELSE d.status END,
    longitude = CASE WHEN %(set_place)s THEN %(longitude)s::double precision ELSE d.longitude END,
    latitude = CASE WHEN %(set_place)s THEN %(latitude)s::double precision ELSE d.latitude END,
    tags = CASE WHEN %(set_tags)s THEN %(tags)s::text[] ELSE d.tags END,
    gateway_id = CASE WHEN %(set_gateway)s THEN (SELECT g.id FROM device g WHERE g.external_id = %(gateway)s::text
                                                 AND g.organisation_id = d.organisation_id) ELSE d.gateway_id END
WHERE d.id = %(id)s
RETURNING d.id;

-- find_site: whether a device's organisation has a site
SELECT s.id FROM site s JOIN device d ON d.organisation_id = s.organisation_id
WHERE d.id = %(id)s AND s.slug = %(site)s;

-- find_gateway: whether a device's organisation has a device of this external id
SELECT g.id FROM device g JOIN device d ON d.organisation_id = g.organisation_id
WHERE d.id = %(id)s AND g.external_id = %(gateway)s;

-- decide: say of devices that registered themselves, or were refused, what they are from now on
UPDATE device d SET status = %(status)s
WHERE d.status IN ('pending', 'refused') AND d.status <> %(status)s
  AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR d.organisation_id = (SELECT id FROM organisation WHERE slug = %(organisation)s))
  AND (%(source)s::text IS NULL OR d.source = %(source)s)
  AND (%(ids)s::integer[] IS NULL OR d.id = ANY (%(ids)s::integer[]))
  AND (%(external_ids)s::text[] IS NULL OR d.external_id = ANY (%(external_ids)s::text[]))
  -- all that wait means those that wait, not those that were refused
  AND (d.status = 'pending' OR %(ids)s::integer[] IS NOT NULL OR %(external_ids)s::text[] IS NOT NULL)
RETURNING d.id;

-- pending: devices that wait for a decision, the newest first, with what is known of them
SELECT d.id, d.external_id, o.slug AS organisation, d.source, d.created_at,
       (SELECT count(*) FROM series s WHERE s.device_id = d.id) AS series
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE d.status = 'pending'
  AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
ORDER BY d.created_at DESC, d.id DESC
LIMIT %(limit)s;
