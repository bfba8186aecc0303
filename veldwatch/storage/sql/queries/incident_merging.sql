-- forget_near: of heads that are decided anew, and what is none any more, what they were near
DELETE FROM incident_link WHERE alert_id = ANY (%(ids)s::uuid[]) RETURNING incident_id;

-- partners: where the alerts are that people said to be of one incident with some others
SELECT b.incident_base AS id FROM incident_merge m JOIN alert b ON b.id = m.other_id
WHERE m.alert_id = ANY (%(ids)s::uuid[]) AND m.ended_at IS NULL AND b.incident_base IS NOT NULL
UNION
SELECT a.incident_base FROM incident_merge m JOIN alert a ON a.id = m.alert_id
WHERE m.other_id = ANY (%(ids)s::uuid[]) AND m.ended_at IS NULL AND a.incident_base IS NOT NULL;

-- save_near: heads that are linked to several incidents, their own among them
INSERT INTO incident_link (alert_id, incident_id)
SELECT w.alert_id, w.incident_id
FROM unnest(%(alerts)s::uuid[], %(incidents)s::uuid[]) AS w (alert_id, incident_id)
-- where nothing is any more, nothing is to be merged
WHERE EXISTS (SELECT FROM incident n WHERE n.id = w.incident_id)
ON CONFLICT DO NOTHING;

-- company: some incidents with all that may be one with them, by heads that are near several or by what people said
WITH RECURSIVE known (id) AS (
    SELECT unnest(%(ids)s::uuid[])
    UNION
    SELECT e.id
    FROM known k
    CROSS JOIN LATERAL (
        SELECT other.incident_id AS id
        FROM incident_link near JOIN incident_link other ON other.alert_id = near.alert_id
        WHERE near.incident_id = k.id
        UNION ALL
        SELECT CASE k.id WHEN a.incident_base THEN b.incident_base ELSE a.incident_base END
        FROM incident_merge m
        JOIN alert a ON a.id = m.alert_id
        JOIN alert b ON b.id = m.other_id
        WHERE m.ended_at IS NULL AND k.id IN (a.incident_base, b.incident_base)
    ) e
    WHERE e.id IS NOT NULL
)
SELECT n.id, n.founder_id, coalesce(f.opened_at, i.begins_at) AS began_at,
       -- where the alerts are that were in it before
       (SELECT a.incident_id FROM alert a WHERE a.incident_base = n.id AND a.id <> ALL (%(placed)s::uuid[]) LIMIT 1) AS settled
FROM known k
JOIN incident n ON n.id = k.id
LEFT JOIN alert f ON f.id = n.founder_id
LEFT JOIN interruption i ON i.id = n.interruption_id
-- nothing is merged with what has no alerts
WHERE EXISTS (SELECT FROM alert a WHERE a.incident_base = n.id);

-- signs: heads that are near several of some incidents, in any order
SELECT l.alert_id, a.opened_at, array_agg(l.incident_id) AS incidents
FROM incident_link l JOIN alert a ON a.id = l.alert_id
WHERE l.alert_id IN (SELECT x.alert_id FROM incident_link x WHERE x.incident_id = ANY (%(ids)s::uuid[]))
GROUP BY l.alert_id, a.opened_at;

-- said: pairs of some incidents that people say are one, in the order in which they said so
SELECT a.incident_base AS one, b.incident_base AS other
FROM incident_merge m
JOIN alert a ON a.id = m.alert_id
JOIN alert b ON b.id = m.other_id
WHERE m.ended_at IS NULL AND a.incident_base = ANY (%(ids)s::uuid[]) AND b.incident_base = ANY (%(ids)s::uuid[])
ORDER BY m.id;

-- put: some alerts into the incidents in which those are merged that they joined
UPDATE alert a
SET incident_id = w.root, updated_at = %(now)s
FROM unnest(%(bases)s::uuid[], %(roots)s::uuid[]) AS w (base, root), alert before
WHERE a.id = ANY (%(ids)s::uuid[]) AND a.incident_base = w.base AND a.incident_id IS DISTINCT FROM w.root
  AND before.id = a.id
RETURNING a.id, before.incident_id;

-- put_all: all alerts of some incidents into those in which they are merged from now on
UPDATE alert a
SET incident_id = w.root, updated_at = %(now)s
FROM unnest(%(bases)s::uuid[], %(roots)s::uuid[]) AS w (base, root), alert before
WHERE a.incident_base = w.base AND a.incident_id IS DISTINCT FROM w.root AND before.id = a.id
RETURNING a.id, before.incident_id;

-- told: what became of incidents
INSERT INTO incident_entry (incident_id, organisation_id, kind, at, author, other_id)
SELECT w.id, %(part)s, w.kind, %(now)s, %(author)s, w.other
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(others)s::uuid[]) AS w (id, kind, other);
