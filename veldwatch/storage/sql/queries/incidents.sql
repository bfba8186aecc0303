-- list: incidents as one organisation sees them (part NULL: as a whole), in the order of a key, then newest first
WITH page AS MATERIALIZED (
    SELECT p.*, n.updated_at, n.interruption_id, k.key
    FROM incident_part p
    JOIN incident n ON n.id = p.incident_id
    CROSS JOIN LATERAL (
        SELECT CASE %(sort)s::text
            WHEN 'severity' THEN array_position('{info,minor,major,critical}'::text[], p.severity)::double precision
            WHEN 'money' THEN coalesce(p.impact_money, -1)
            WHEN 'water' THEN coalesce(p.impact_water, -1)
            WHEN 'energy' THEN coalesce(p.impact_energy, -1)
            WHEN 'people' THEN coalesce(p.impact_people, p.impact_customers, -1)::double precision
            ELSE 0 END AS key
    ) k
    WHERE p.organisation_id IS NOT DISTINCT FROM %(part)s::integer
      AND (%(id)s::uuid IS NULL OR p.incident_id = %(id)s)
      AND (%(states)s::text[] IS NULL OR p.state = ANY (%(states)s))
      AND (%(severities)s::text[] IS NULL OR p.severity = ANY (%(severities)s))
      AND p.opened_at >= coalesce(%(since)s::timestamptz, '-infinity')
      AND p.opened_at < coalesce(%(until)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR k.key < %(after_key)s::double precision
           OR (k.key = %(after_key)s::double precision
               AND (p.opened_at, p.incident_id) < (%(after)s::timestamptz, %(after_id)s::uuid)))
    ORDER BY k.key DESC, p.opened_at DESC, p.incident_id DESC
    LIMIT %(limit)s
)
SELECT page.incident_id AS id, page.key, page.title, page.severity, page.state, page.opened_at, page.fired_at,
       page.resolved_at, page.alerts, page.open_alerts, page.devices, page.lead_alert_id, page.longitude, page.latitude,
       page.updated_at, s.slug AS site, s.name AS site_name, page.interruption_id IS NOT NULL AS is_planned,
       (SELECT count(*) FROM alert a WHERE a.incident_id = page.incident_id AND a.acknowledged_at IS NOT NULL
        AND (page.organisation_id IS NULL OR a.organisation_id = page.organisation_id)) AS acknowledged_alerts,
       (SELECT array_agg(o.slug ORDER BY o.slug) FROM incident_part x JOIN organisation o ON o.id = x.organisation_id
        WHERE x.incident_id = page.incident_id AND (page.organisation_id IS NULL OR x.organisation_id = page.organisation_id))
           AS organisations,
       page.impact_water, page.impact_energy, page.impact_money, page.impact_currency, page.impact_people,
       page.impact_customers, page.impact_missing, assigned.body AS assigned_to, closed.at AS resolved_by_hand_at,
       closed.author AS resolved_by
FROM page
LEFT JOIN site s ON s.id = page.site_id
-- it, and those whose place it took: what people did with them is done with it
CROSS JOIN LATERAL (
    WITH RECURSIVE line AS (
        SELECT page.incident_id AS id, 0 AS steps
        UNION ALL
        SELECT n.id, line.steps + 1 FROM line JOIN incident n ON n.superseded_by = line.id WHERE line.steps < 100
    )
    SELECT array_agg(id) AS ids FROM line
) line
LEFT JOIN LATERAL (
    SELECT nullif(e.body, '') AS body FROM incident_entry e
    WHERE e.incident_id = ANY (line.ids) AND e.kind = 'assigned'
      AND (page.organisation_id IS NULL OR e.organisation_id IS NOT DISTINCT FROM page.organisation_id)
    ORDER BY e.id DESC LIMIT 1
) assigned ON true
LEFT JOIN LATERAL (
    SELECT e.at, e.author, e.kind FROM incident_entry e
    WHERE e.incident_id = ANY (line.ids) AND e.kind IN ('resolved', 'reopened')
      AND (page.organisation_id IS NULL OR e.organisation_id IS NOT DISTINCT FROM page.organisation_id)
    ORDER BY e.id DESC LIMIT 1
) closed ON closed.kind = 'resolved'
    -- what came to it later has no verdict yet
    AND NOT EXISTS (SELECT FROM alert a WHERE a.incident_id = page.incident_id AND a.resolution IS NULL
                    AND (page.organisation_id IS NULL OR a.organisation_id = page.organisation_id))
ORDER BY page.key DESC, page.opened_at DESC, page.incident_id DESC;

-- head: the incident that stands in an incident's place after late data; most stand for themselves
WITH RECURSIVE head AS (
    SELECT n.id, n.superseded_by, 0 AS steps FROM incident n WHERE n.id = %(id)s
    UNION ALL
    SELECT n.id, n.superseded_by, head.steps + 1
    FROM head JOIN incident n ON n.id = head.superseded_by
    -- a chain longer than this is none that late data made
    WHERE head.steps < 100
)
SELECT id FROM head ORDER BY steps DESC LIMIT 1;

-- between: incidents that an id names which is cut short; two are one too many
SELECT n.id FROM incident n WHERE n.id >= %(first)s AND n.id <= %(last)s ORDER BY n.id LIMIT 2;

-- entries: what people did with an incident and with those whose place it took, oldest first
-- Those of who sees all organisations are not shown to one of several: they may speak of the others.
WITH RECURSIVE line AS (
    SELECT %(id)s::uuid AS id, 0 AS steps
    UNION ALL
    SELECT n.id, line.steps + 1 FROM line JOIN incident n ON n.superseded_by = line.id WHERE line.steps < 100
)
SELECT e.id, e.kind, e.at, e.author, e.body, e.other_id, e.alert_id
FROM incident_entry e
WHERE e.incident_id IN (SELECT id FROM line)
  AND (%(part)s::integer IS NULL OR e.organisation_id = %(part)s
       OR (e.organisation_id IS NULL AND NOT EXISTS (
           SELECT FROM incident_part p WHERE p.incident_id = %(id)s AND p.organisation_id <> %(part)s)))
ORDER BY e.id;

-- course: what became of an incident's alerts, those of one minute and kind together, oldest first
SELECT t.kind, t.author, min(t.at) AS at, max(t.at) AS until, count(*) AS count,
       (array_agg(coalesce(v.definition ->> 'title', r.slug) || coalesce(': ' || d.name, ': ' || s.name, '')
                  ORDER BY t.at, t.id))[1] AS title,
       (array_agg(a.id ORDER BY t.at, t.id))[1] AS alert_id
FROM alert a
JOIN alert_transition t ON t.alert_id = a.id
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN site s ON s.id = a.site_id
WHERE a.incident_id = %(id)s AND (%(part)s::integer IS NULL OR a.organisation_id = %(part)s) AND t.kind <> 'pending'
GROUP BY t.kind, t.author, date_trunc('minute', t.at)
ORDER BY min(t.at), t.kind
LIMIT 500;

-- visible: an incident that the asker may see a part of
SELECT n.id FROM incident n
WHERE n.id = %(id)s AND EXISTS (SELECT FROM incident_part p WHERE p.incident_id = n.id
                                AND p.organisation_id IS NOT DISTINCT FROM %(scope)s::integer);

-- acknowledge: take up all of its alerts that nobody did
WITH taken AS (
    SELECT a.id FROM alert a
    WHERE a.incident_id = %(id)s AND a.acknowledged_at IS NULL AND a.state <> 'retracted'
      AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
    ORDER BY a.id
    FOR UPDATE
), changed AS (
    UPDATE alert a SET acknowledged_at = %(now)s, acknowledged_by = %(author)s, updated_at = now()
    FROM taken WHERE a.id = taken.id
    RETURNING a.id
), told AS (
    INSERT INTO alert_transition (alert_id, kind, at, author, detail)
    SELECT id, 'acknowledged', %(now)s, %(author)s, jsonb_build_object('incident', %(id)s::uuid) FROM changed
    RETURNING alert_id
)
SELECT wake('veldwatch_alert', alert_id::text) FROM told;

-- assign: make all of its alerts somebody's work; NULL: nobody's
WITH taken AS (
    SELECT a.id, a.assigned_to FROM alert a
    WHERE a.incident_id = %(id)s AND a.assigned_to IS DISTINCT FROM %(person)s::text AND a.state <> 'retracted'
      AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
    ORDER BY a.id
    FOR UPDATE
), changed AS (
    UPDATE alert a
    SET assigned_to = %(person)s, assigned_at = CASE WHEN %(person)s::text IS NOT NULL THEN %(now)s::timestamptz END,
        assigned_by = CASE WHEN %(person)s::text IS NOT NULL THEN %(author)s::text END, updated_at = now()
    FROM taken WHERE a.id = taken.id
    RETURNING a.id, taken.assigned_to AS before
), told AS (
    INSERT INTO alert_transition (alert_id, kind, at, author, detail)
    SELECT id, CASE WHEN %(person)s::text IS NULL THEN 'unassigned' ELSE 'assigned' END, %(now)s, %(author)s,
           jsonb_build_object('incident', %(id)s::uuid, 'to', %(person)s::text, 'before', before)
    FROM changed
    RETURNING alert_id
)
SELECT wake('veldwatch_alert', alert_id::text) FROM told;

-- resolve: a person's verdict beside all of its alerts that have none; what was not told of them is kept back
WITH taken AS (
    SELECT a.id, a.state FROM alert a
    WHERE a.incident_id = %(id)s AND a.resolution IS NULL AND a.state <> 'retracted'
      AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
    ORDER BY a.id
    FOR UPDATE
), changed AS (
    UPDATE alert a
    SET resolution = %(resolution)s, resolution_note = %(note)s, resolved_by_hand_at = %(now)s, resolved_by = %(author)s,
        updated_at = now()
    FROM taken WHERE a.id = taken.id
    RETURNING a.id, taken.state
), untold AS (
    SELECT id FROM outbox
    WHERE alert_id = ANY ((SELECT with_superseded(ARRAY(SELECT id FROM changed)))::uuid[]) AND state = 'pending'
      AND message ->> 'kind' IN ('firing', 'raised') AND grouped_in IS NULL AND composed IS NULL
    ORDER BY id
    FOR UPDATE
), kept AS (
    UPDATE outbox o SET state = 'suppressed', reason = %(reason)s FROM untold WHERE o.id = untold.id
), told AS (
    INSERT INTO alert_transition (alert_id, kind, at, author, detail)
    SELECT id, 'resolved_by_hand', %(now)s, %(author)s,
           jsonb_build_object('incident', %(id)s::uuid, 'resolution', %(resolution)s::text, 'note', %(note)s::text,
                              'state', state)
    FROM changed
    RETURNING alert_id
)
SELECT wake('veldwatch_alert', alert_id::text) FROM told;

-- reopen: take the verdicts of all of its alerts back; the history keeps them
WITH taken AS (
    SELECT a.id, a.resolution, a.resolved_by FROM alert a
    WHERE a.incident_id = %(id)s AND a.resolution IS NOT NULL
      AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
    ORDER BY a.id
    FOR UPDATE
), changed AS (
    UPDATE alert a
    SET resolution = NULL, resolution_note = NULL, resolved_by_hand_at = NULL, resolved_by = NULL, updated_at = now()
    FROM taken WHERE a.id = taken.id
    RETURNING a.id, taken.resolution, taken.resolved_by
), told AS (
    INSERT INTO alert_transition (alert_id, kind, at, author, detail)
    SELECT id, 'reopened', %(now)s, %(author)s,
           jsonb_build_object('incident', %(id)s::uuid, 'resolution', resolution, 'resolved_by', resolved_by)
    FROM changed
    RETURNING alert_id
)
SELECT wake('veldwatch_alert', alert_id::text) FROM told;

-- add_entry: what a person did with an incident
INSERT INTO incident_entry (incident_id, organisation_id, kind, at, author, body)
VALUES (%(id)s, %(scope)s, %(kind)s, %(now)s, %(author)s, %(body)s)
RETURNING id, kind, at, author, body, other_id, alert_id;

-- touch: somebody did something with it; wake those who follow incidents, at commit
WITH touched AS (UPDATE incident SET updated_at = now() WHERE id = %(id)s RETURNING id)
SELECT wake('veldwatch_incident', id::text) FROM touched;

-- updated: incidents that changed from a time on
SELECT n.id FROM incident n WHERE n.updated_at >= %(since)s ORDER BY n.updated_at LIMIT %(limit)s;
