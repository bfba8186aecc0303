-- organisation: its id and slug, by slug
SELECT id, slug FROM organisation
WHERE slug = %(slug)s AND (%(scope)s::integer IS NULL OR id = %(scope)s);

-- devices: ids of an organisation's devices by their external ids
SELECT id, external_id FROM device
WHERE organisation_id = %(organisation_id)s AND external_id = ANY (%(external_ids)s);

-- add: a credential, unless another that is not revoked has its name
INSERT INTO credential (organisation_id, kind, username, bcrypt, pbkdf2, note, publish, subscribe, created_by, valid_until)
VALUES (%(organisation_id)s, %(kind)s, %(username)s, %(bcrypt)s, %(pbkdf2)s, %(note)s, %(publish)s, %(subscribe)s,
        %(created_by)s, %(valid_until)s)
ON CONFLICT (username) WHERE revoked_at IS NULL DO NOTHING
RETURNING id;

-- speak_for: the devices that a credential speaks for
INSERT INTO credential_device (credential_id, device_id)
SELECT %(id)s, device_id FROM unnest(%(device_ids)s::integer[]) AS n (device_id)
ON CONFLICT DO NOTHING;

-- inherit: give a credential's devices to the one that follows it
INSERT INTO credential_device (credential_id, device_id)
SELECT %(id)s, device_id FROM credential_device WHERE credential_id = %(predecessor)s;

-- get: one credential to be rotated or revoked, locked
SELECT c.id, c.organisation_id, c.kind, c.username, c.note, c.publish, c.subscribe, c.valid_until, c.revoked_at,
       c.successor_id, c.valid_until <= now() AS over
FROM credential c
WHERE c.id = %(id)s AND (%(scope)s::integer IS NULL OR c.organisation_id = %(scope)s)
FOR UPDATE;

-- succeed: let a credential end at a time, unless it ends before, in favour of another
UPDATE credential SET valid_until = least(valid_until, %(valid_until)s), successor_id = %(successor)s WHERE id = %(id)s;

-- revoke: end a credential at once; a second time changes nothing
UPDATE credential SET revoked_at = now(), revoked_by = %(revoked_by)s WHERE id = %(id)s AND revoked_at IS NULL;

-- list: credentials by id after a cursor, revoked and expired ones too, each with the devices that it speaks for
SELECT c.id, o.slug AS organisation, c.kind, c.username, c.note, c.publish, c.subscribe, c.created_at, c.created_by,
       c.valid_until, c.revoked_at, c.revoked_by, c.successor_id,
       CASE WHEN c.revoked_at IS NOT NULL THEN 'revoked' WHEN c.valid_until <= now() THEN 'expired' ELSE 'valid' END
           AS state,
       COALESCE(of.devices, '{}') AS devices
FROM credential c
JOIN organisation o ON o.id = c.organisation_id
LEFT JOIN LATERAL (
    SELECT array_agg(d.external_id ORDER BY d.external_id) AS devices
    FROM credential_device cd JOIN device d ON d.id = cd.device_id
    WHERE cd.credential_id = c.id
) of ON true
WHERE c.id > %(after)s
  AND (%(scope)s::integer IS NULL OR c.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(id)s::integer IS NULL OR c.id = %(id)s)
  AND (%(device_id)s::integer IS NULL
       OR EXISTS (SELECT 1 FROM credential_device cd WHERE cd.credential_id = c.id AND cd.device_id = %(device_id)s))
ORDER BY c.id
LIMIT %(limit)s;

-- in_force: accounts that let somebody in now, by name, with their devices that are neither retired nor refused
SELECT c.username, c.kind, o.slug, COALESCE(c.bcrypt, ''), COALESCE(c.pbkdf2, ''), c.publish, c.subscribe,
       COALESCE(of.devices, '{}'), COALESCE(of.registered, 0)
FROM credential c
JOIN organisation o ON o.id = c.organisation_id
LEFT JOIN LATERAL (
    SELECT array_agg(d.external_id ORDER BY d.external_id)
               FILTER (WHERE d.status NOT IN ('retired', 'refused')) AS devices,
           count(*)::integer AS registered
    FROM credential_device cd JOIN device d ON d.id = cd.device_id
    WHERE cd.credential_id = c.id AND d.organisation_id = c.organisation_id
) of ON true
WHERE c.revoked_at IS NULL AND (c.valid_until IS NULL OR c.valid_until > now())
  AND (%(username)s::text IS NULL OR c.username = %(username)s)
ORDER BY c.username COLLATE "C";

-- next_end: in how many seconds the next credential ends by itself
SELECT EXTRACT(epoch FROM min(valid_until) - now())::double precision
FROM credential
WHERE revoked_at IS NULL AND valid_until > now();
