-- create: a token, of which only the digest is kept
INSERT INTO token (name, digest, role, organisation_id, expires_at)
VALUES (%(name)s, %(digest)s, %(role)s, %(organisation_id)s, %(expires_at)s)
RETURNING id;

-- organisation: its id by slug
SELECT id FROM organisation WHERE slug = %(slug)s;

-- find: who bears a token, unless it is revoked or over
SELECT t.name, t.role, t.organisation_id, o.slug AS organisation
FROM token t
LEFT JOIN organisation o ON o.id = t.organisation_id
WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now());

-- list: tokens, oldest first; their digests stay here
SELECT t.id, t.name, t.role, o.slug AS organisation, t.created_at, t.expires_at, t.revoked_at
FROM token t
LEFT JOIN organisation o ON o.id = t.organisation_id
ORDER BY t.id;

-- revoke: end a token by id; a second time changes nothing
UPDATE token SET revoked_at = COALESCE(revoked_at, now()) WHERE id = %(id)s RETURNING name;
