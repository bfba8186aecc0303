-- tops: of some alerts, what explains each in the end: an alert (itself, where nothing does), or a planned interruption
-- What a person took out is its own top, whatever explains it.
WITH RECURSIVE up AS (
    SELECT a.id AS of_id, a.id, CASE WHEN p.alert_id IS NULL THEN a.explained_by END AS explained_by,
           CASE WHEN p.alert_id IS NULL THEN a.explained_by_interruption END AS explained_by_interruption, 0 AS steps
    FROM alert a LEFT JOIN incident_apart p ON p.alert_id = a.id
    WHERE a.id = ANY (%(ids)s::uuid[])
    UNION ALL
    SELECT up.of_id, a.id, CASE WHEN p.alert_id IS NULL THEN a.explained_by END,
           CASE WHEN p.alert_id IS NULL THEN a.explained_by_interruption END, up.steps + 1
    FROM up JOIN alert a ON a.id = up.explained_by LEFT JOIN incident_apart p ON p.alert_id = a.id
    -- a chain longer than this is none that places make
    WHERE up.steps < 50
)
SELECT of_id, id, explained_by_interruption FROM up WHERE explained_by IS NULL;

-- founders: of the incidents that some alerts are in
SELECT DISTINCT i.founder_id FROM alert a JOIN incident i ON i.id = a.incident_base
WHERE a.id = ANY (%(ids)s::uuid[]) AND i.founder_id IS NOT NULL;

-- heads: some alerts as gathering sees them
SELECT a.id, a.opened_at, a.resolved_at, coalesce(a.site_id, d.site_id) AS site_id, a.device_id,
       coalesce(d.longitude, fix.longitude) AS longitude, coalesce(d.latitude, fix.latitude) AS latitude,
       a.organisation_id, a.incident_id, a.incident_base, i.founder_id, a.incident_head,
       a.state <> 'retracted' AND a.fired_at IS NOT NULL AS counts, p.alert_id IS NOT NULL AND stands.so AS is_apart,
       a.explained_by IS NULL AND a.explained_by_interruption IS NULL AND p.alert_id IS NULL AND stands.so AS is_head
FROM alert a
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN incident i ON i.id = a.incident_base
LEFT JOIN incident_apart p ON p.alert_id = a.id
CROSS JOIN LATERAL (
    SELECT a.state <> 'retracted'
       -- a cause that has not lasted long enough itself is one all the same
       AND (a.fired_at IS NOT NULL OR EXISTS (
           SELECT FROM alert e WHERE e.explained_by = a.id AND e.state <> 'retracted' AND e.fired_at IS NOT NULL)) AS so
) stands
-- where a tracker was when it happened
LEFT JOIN LATERAL position_at(a.device_id, coalesce(a.fired_at, a.opened_at)) fix ON d.longitude IS NULL
WHERE a.id = ANY (%(ids)s::uuid[]);

-- near: heads that begin within some stretches of time
SELECT a.id
FROM unnest(%(since)s::timestamptz[], %(until)s::timestamptz[]) AS w (since, until)
JOIN alert a ON a.opened_at >= w.since AND a.opened_at <= w.until
WHERE a.explained_by IS NULL AND a.explained_by_interruption IS NULL AND a.incident_head;

-- same_device: heads about some devices that begin within a stretch each
SELECT DISTINCT a.id
FROM unnest(%(devices)s::integer[], %(since)s::timestamptz[], %(until)s::timestamptz[]) AS w (device_id, since, until)
JOIN alert a ON a.device_id = w.device_id AND a.opened_at >= w.since AND a.opened_at <= w.until
WHERE a.explained_by IS NULL AND a.explained_by_interruption IS NULL AND a.incident_head;

-- found: incidents, where they are new; one that had lost its alerts has some again
INSERT INTO incident (id, founder_id, interruption_id, created_at, updated_at)
SELECT DISTINCT w.id, w.founder_id, w.interruption_id, %(now)s::timestamptz, %(now)s::timestamptz
FROM unnest(%(ids)s::uuid[], %(founders)s::uuid[], %(interruptions)s::bigint[]) AS w (id, founder_id, interruption_id)
ON CONFLICT (id) DO UPDATE SET superseded_by = NULL WHERE incident.superseded_by IS NOT NULL;

-- place: which incidents some alerts join by themselves; one that joins none is in none
UPDATE alert a
SET incident_base = w.base, incident_head = w.is_head,
    incident_id = CASE WHEN w.base IS NOT NULL THEN a.incident_id END, updated_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(bases)s::uuid[], %(are_heads)s::boolean[]) AS w (id, base, is_head)
WHERE a.id = w.id AND (a.incident_base IS DISTINCT FROM w.base OR a.incident_head <> w.is_head)
RETURNING a.id;

-- follow: what some alerts explain belongs where they do, but for what a person took out
WITH RECURSIVE down AS (
    SELECT a.id, a.incident_base FROM alert a WHERE a.id = ANY (%(ids)s::uuid[])
    UNION ALL
    SELECT e.id, down.incident_base FROM down JOIN alert e ON e.explained_by = down.id
    WHERE NOT EXISTS (SELECT FROM incident_apart p WHERE p.alert_id = e.id)
)
UPDATE alert a
SET incident_base = down.incident_base, incident_head = false, updated_at = %(now)s
FROM down
WHERE a.id = down.id AND a.id <> ALL (%(ids)s::uuid[]) AND a.state <> 'retracted' AND a.fired_at IS NOT NULL
  AND (a.incident_base IS DISTINCT FROM down.incident_base OR a.incident_head)
RETURNING a.id;

-- in_which: the incidents that some alerts are in
SELECT DISTINCT a.incident_id FROM alert a WHERE a.id = ANY (%(ids)s::uuid[]) AND a.incident_id IS NOT NULL;

-- parts: what some incidents come to, for each organisation and as a whole (organisation_id NULL)
WITH member AS (
    SELECT a.id, a.incident_id, a.organisation_id, a.device_id, a.state, a.opened_at, a.fired_at, a.resolved_at,
           d.longitude, d.latitude,
           array_position('{info,minor,major,critical}'::text[], a.severity) AS rank,
           -- what explains others names the incident
           a.id = i.founder_id AND EXISTS (SELECT FROM alert e WHERE e.explained_by = a.id) AS is_cause
    FROM alert a
    JOIN incident i ON i.id = a.incident_base
    LEFT JOIN device d ON d.id = a.device_id
    WHERE a.incident_id = ANY (%(ids)s::uuid[]) AND a.state <> 'retracted' AND a.fired_at IS NOT NULL
), part AS (
    SELECT m.incident_id, m.organisation_id, max(m.rank) AS rank, bool_or(m.state = 'firing') AS is_open,
           min(m.opened_at) AS opened_at, min(m.fired_at) AS fired_at, max(m.resolved_at) AS resolved_at,
           count(*) AS alerts, count(*) FILTER (WHERE m.state = 'firing') AS open_alerts,
           count(DISTINCT m.device_id) AS devices,
           (array_agg(m.id ORDER BY m.is_cause DESC, m.rank DESC, m.opened_at, m.id))[1] AS lead_alert_id,
           avg(m.longitude) AS longitude, avg(m.latitude) AS latitude
    FROM member m
    GROUP BY GROUPING SETS ((m.incident_id, m.organisation_id), (m.incident_id))
)
SELECT p.incident_id, p.organisation_id,
       coalesce(i.title, coalesce(v.definition ->> 'title', r.slug) || coalesce(': ' || d.name, ': ' || s.name, '')) AS title,
       ('{info,minor,major,critical}'::text[])[p.rank] AS severity,
       CASE WHEN p.is_open THEN 'open' ELSE 'resolved' END AS state, p.opened_at, p.fired_at,
       CASE WHEN NOT p.is_open THEN p.resolved_at END AS resolved_at, p.alerts, p.open_alerts, p.devices,
       p.lead_alert_id, coalesce(a.site_id, d.site_id) AS site_id, coalesce(p.longitude, fix.longitude) AS longitude,
       coalesce(p.latitude, fix.latitude) AS latitude
FROM part p
JOIN incident n ON n.id = p.incident_id
-- another organisation's calendar is its own
LEFT JOIN interruption i ON i.id = n.interruption_id AND (p.organisation_id IS NULL OR p.organisation_id = i.organisation_id)
JOIN alert a ON a.id = p.lead_alert_id
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN site s ON s.id = a.site_id
LEFT JOIN LATERAL position_at(a.device_id, coalesce(a.fired_at, a.opened_at)) fix ON p.longitude IS NULL;

-- impacts: what the alerts of some incidents are about, where anything is known or missing
SELECT a.incident_id, a.organisation_id, coalesce(a.site_id, d.site_id) AS site_id, a.device_id,
       coalesce(d.supplies_site, false) AS supplies_site, a.impact_water, a.impact_energy, a.impact_money, a.impact_currency,
       a.impact_people, a.impact_customers, a.impact_missing
FROM alert a
LEFT JOIN device d ON d.id = a.device_id
WHERE a.incident_id = ANY (%(ids)s::uuid[]) AND a.state <> 'retracted' AND a.fired_at IS NOT NULL
  AND (a.impact_missing <> '{}'
       OR num_nonnulls(a.impact_water, a.impact_energy, a.impact_money, a.impact_people, a.impact_customers) > 0);

-- forget_parts: of some incidents, before they are written again
DELETE FROM incident_part WHERE incident_id = ANY (%(ids)s::uuid[]);

-- save_part: an incident as one organisation sees it
INSERT INTO incident_part (incident_id, organisation_id, title, severity, state, opened_at, fired_at, resolved_at, alerts,
                           open_alerts, devices, lead_alert_id, site_id, longitude, latitude,
                           impact_water, impact_energy, impact_money, impact_currency, impact_people, impact_customers,
                           impact_missing)
VALUES (%(incident_id)s, %(organisation_id)s, %(title)s, %(severity)s, %(state)s, %(opened_at)s, %(fired_at)s,
        %(resolved_at)s, %(alerts)s, %(open_alerts)s, %(devices)s, %(lead_alert_id)s, %(site_id)s,
        %(longitude)s, %(latitude)s, %(water)s, %(energy)s, %(money)s, %(currency)s, %(people)s, %(customers)s,
        %(missing)s);

-- touch: incidents changed; those without alerts point to where their alerts are, or the alert that founded them, or what
-- stands in its place; if a person took that one out, to where the others stayed
UPDATE incident n
SET updated_at = %(now)s,
    superseded_by = CASE WHEN EXISTS (SELECT FROM incident_part p WHERE p.incident_id = n.id) THEN NULL
        ELSE nullif(coalesce(
            (SELECT a.incident_id FROM alert a WHERE a.incident_base = n.id LIMIT 1),
            (SELECT a.incident_id FROM incident_apart p JOIN alert a ON a.id = alert_head(p.stayed_id)
             WHERE p.alert_id = n.founder_id),
            (SELECT a.incident_id FROM alert a WHERE a.id = alert_head(n.founder_id))), n.id) END
WHERE n.id = ANY (%(ids)s::uuid[]);

-- wake: tell listeners of incidents that changed, at commit
SELECT wake('veldwatch_incident', id::text) FROM unnest(%(ids)s::uuid[]) AS changed (id);
