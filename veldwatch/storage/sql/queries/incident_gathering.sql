-- tops: of some alerts, what explains each in the end: an alert (itself, where nothing does), or a planned interruption
WITH RECURSIVE up AS (
    SELECT a.id AS of_id, a.id, a.explained_by, a.explained_by_interruption, 0 AS steps
    FROM alert a WHERE a.id = ANY (%(ids)s::uuid[])
    UNION ALL
    SELECT up.of_id, a.id, a.explained_by, a.explained_by_interruption, up.steps + 1
    -- a chain longer than this is none that places make
    FROM up JOIN alert a ON a.id = up.explained_by WHERE up.steps < 50
)
SELECT of_id, id, explained_by_interruption FROM up WHERE explained_by IS NULL;

-- founders: of the incidents that some alerts are in
SELECT DISTINCT i.founder_id FROM alert a JOIN incident i ON i.id = a.incident_id
WHERE a.id = ANY (%(ids)s::uuid[]) AND i.founder_id IS NOT NULL;

-- heads: some alerts as gathering sees them
SELECT a.id, a.opened_at, a.resolved_at, coalesce(a.site_id, d.site_id) AS site_id, a.device_id,
       coalesce(d.longitude, fix.longitude) AS longitude, coalesce(d.latitude, fix.latitude) AS latitude,
       a.organisation_id, a.incident_id, i.founder_id, a.incident_head,
       a.state <> 'retracted' AND a.fired_at IS NOT NULL AS counts,
       a.state <> 'retracted' AND a.explained_by IS NULL AND a.explained_by_interruption IS NULL
       -- a cause that has not lasted long enough itself is one all the same
       AND (a.fired_at IS NOT NULL OR EXISTS (
           SELECT FROM alert e WHERE e.explained_by = a.id AND e.state <> 'retracted' AND e.fired_at IS NOT NULL)) AS is_head
FROM alert a
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN incident i ON i.id = a.incident_id
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

-- place: to which incidents some alerts belong
UPDATE alert a
SET incident_id = w.incident_id, incident_head = w.is_head, updated_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(incidents)s::uuid[], %(are_heads)s::boolean[]) AS w (id, incident_id, is_head)
WHERE a.id = w.id AND (a.incident_id IS DISTINCT FROM w.incident_id OR a.incident_head <> w.is_head)
RETURNING a.id;

-- follow: what some alerts explain belongs where they do
WITH RECURSIVE down AS (
    SELECT a.id, a.incident_id FROM alert a WHERE a.id = ANY (%(ids)s::uuid[])
    UNION ALL
    SELECT e.id, down.incident_id FROM down JOIN alert e ON e.explained_by = down.id
)
UPDATE alert a
SET incident_id = down.incident_id, incident_head = false, updated_at = %(now)s
FROM down
WHERE a.id = down.id AND a.explained_by IS NOT NULL AND a.state <> 'retracted' AND a.fired_at IS NOT NULL
  AND (a.incident_id IS DISTINCT FROM down.incident_id OR a.incident_head)
RETURNING a.id;

-- parts: what some incidents come to, for each organisation and as a whole (organisation_id NULL)
WITH member AS (
    SELECT a.id, a.incident_id, a.organisation_id, a.device_id, a.state, a.opened_at, a.fired_at, a.resolved_at,
           d.longitude, d.latitude,
           array_position('{info,minor,major,critical}'::text[], a.severity) AS rank,
           -- what explains others names the incident
           a.id = i.founder_id AND EXISTS (SELECT FROM alert e WHERE e.explained_by = a.id) AS is_cause
    FROM alert a
    JOIN incident i ON i.id = a.incident_id
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

-- touch: incidents changed; those without alerts point to where the alert that founded them is, or what stands in its place
UPDATE incident n
SET updated_at = %(now)s,
    superseded_by = CASE WHEN EXISTS (SELECT FROM incident_part p WHERE p.incident_id = n.id) THEN NULL
        ELSE (SELECT nullif(a.incident_id, n.id) FROM alert a WHERE a.id = alert_head(n.founder_id)) END
WHERE n.id = ANY (%(ids)s::uuid[]);

-- wake: tell listeners of incidents that changed, at commit
SELECT pg_notify('veldwatch_incident', id::text) FROM unnest(%(ids)s::uuid[]) AS changed (id);
