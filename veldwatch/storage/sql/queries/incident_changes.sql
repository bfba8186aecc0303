-- spoken_for: the alert that stands for an incident where people merge it: its founder, if it is still in it, else the one
-- that it is named by
SELECT coalesce(
    (SELECT a.id FROM alert a WHERE a.id = n.founder_id AND a.incident_id = n.id),
    (SELECT p.lead_alert_id FROM incident_part p WHERE p.incident_id = n.id AND p.organisation_id IS NULL)) AS alert_id
FROM incident n WHERE n.id = %(id)s;

-- strangers: organisations other than the asker's that have alerts in both of two incidents
SELECT p.organisation_id
FROM incident_part p JOIN incident_part q ON q.organisation_id = p.organisation_id
WHERE p.incident_id = %(id)s AND q.incident_id = %(other)s AND p.organisation_id <> %(scope)s;

-- merge: two alerts are of one incident from now on, a person says
INSERT INTO incident_merge (alert_id, other_id, at, author) VALUES (%(alert_id)s, %(other_id)s, %(now)s, %(author)s)
ON CONFLICT (alert_id, other_id) WHERE ended_at IS NULL DO NOTHING;

-- split: what people said of the alerts of an incident holds no more; of one organisation, where an alert of it is named
UPDATE incident_merge m SET ended_at = %(now)s, ended_by = %(author)s
FROM alert a, alert b
WHERE m.ended_at IS NULL AND a.id = m.alert_id AND b.id = m.other_id
  AND a.incident_id = %(id)s AND b.incident_id = %(id)s
  AND (%(scope)s::integer IS NULL OR %(scope)s IN (a.organisation_id, b.organisation_id))
RETURNING m.alert_id, m.other_id;

-- alert: an alert that is to be taken out or put back, or what stands in its place, if the asker may see it
SELECT a.id, a.incident_id, a.incident_base, p.alert_id IS NOT NULL AS is_apart
FROM alert a LEFT JOIN incident_apart p ON p.alert_id = a.id
WHERE a.id = alert_head(%(id)s) AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
FOR UPDATE OF a;

-- stays: an alert of an incident that another does not take with it, rather of its own part, rather one that founds
SELECT a.id
FROM alert a
WHERE a.incident_id = %(incident)s AND a.id <> %(id)s AND a.explained_by IS DISTINCT FROM %(id)s
ORDER BY a.incident_base = %(base)s DESC, a.incident_head DESC, a.opened_at, a.id
LIMIT 1;

-- take_out: an alert has an incident of its own from now on
INSERT INTO incident_apart (alert_id, stayed_id, at, author) VALUES (%(id)s, %(stayed)s, %(now)s, %(author)s);

-- hand_over: what people said of an alert that is taken out goes over to one that stays
WITH ended AS (
    UPDATE incident_merge m SET ended_at = %(now)s, ended_by = %(author)s
    WHERE m.ended_at IS NULL AND %(id)s IN (m.alert_id, m.other_id)
    RETURNING CASE m.alert_id WHEN %(id)s THEN m.other_id ELSE m.alert_id END AS other, m.at, m.author
)
INSERT INTO incident_merge (alert_id, other_id, at, author)
SELECT least(e.other, %(stayed)s::uuid), greatest(e.other, %(stayed)s::uuid), e.at, e.author
FROM ended e WHERE e.other <> %(stayed)s
ON CONFLICT (alert_id, other_id) WHERE ended_at IS NULL DO NOTHING;

-- put_back: an alert is where it belongs by itself again
DELETE FROM incident_apart WHERE alert_id = %(id)s;

-- add_entry: what a person did with an alert of an incident
INSERT INTO incident_entry (incident_id, organisation_id, kind, at, author, alert_id, other_id)
VALUES (%(incident)s, %(scope)s, %(kind)s, %(now)s, %(author)s, %(id)s, %(other)s);

-- transition: the same in the alert's own history
INSERT INTO alert_transition (alert_id, kind, at, author, detail)
VALUES (%(id)s, %(kind)s, %(now)s, %(author)s, jsonb_build_object('incident', %(incident)s::uuid, 'other', %(other)s::uuid));

-- wake: tell listeners of alerts that moved, at commit
SELECT wake('veldwatch_alert', id::text) FROM unnest(%(ids)s::uuid[]) AS moved (id);
