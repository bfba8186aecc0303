-- add: a receiver; none when the slug is taken
INSERT INTO receiver (slug, organisation_id, channel, address, secret, minimum_severity)
VALUES (%(slug)s, %(organisation_id)s, %(channel)s, %(address)s, %(secret)s, %(minimum_severity)s)
ON CONFLICT (slug) DO NOTHING
RETURNING id;

-- organisation: its id by slug
SELECT id FROM organisation WHERE slug = %(slug)s;

-- list: receivers in the order of their slugs; with an organisation, only its own
SELECT r.id, r.slug, o.slug AS organisation, r.channel, r.address, r.minimum_severity, r.enabled, r.created_at,
       r.secret IS NOT NULL AS signed
FROM receiver r
LEFT JOIN organisation o ON o.id = r.organisation_id
WHERE %(organisation_id)s::integer IS NULL OR r.organisation_id = %(organisation_id)s
ORDER BY r.slug;

-- disable: stop telling a receiver; what is pending for it is suppressed when it falls due
UPDATE receiver
SET enabled = false, not_before = NULL
WHERE slug = %(slug)s AND (%(organisation_id)s::integer IS NULL OR organisation_id = %(organisation_id)s)
RETURNING id;

-- enable: tell a receiver of what happens from now on, at once
UPDATE receiver
SET enabled = true, not_before = NULL
WHERE slug = %(slug)s AND (%(organisation_id)s::integer IS NULL OR organisation_id = %(organisation_id)s)
RETURNING id;

-- sorts: channel and organisation of some receivers
SELECT id, channel, organisation_id FROM receiver WHERE id = ANY (%(ids)s::integer[]);

-- tried_in_vain: receivers with a notification that failed for now and is still to be told
SELECT DISTINCT receiver_id FROM outbox WHERE state = 'pending' AND attempts > 0;
