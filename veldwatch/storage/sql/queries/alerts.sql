-- list: alerts in the order of a key, then newest first, after a cursor
WITH page AS MATERIALIZED (
    SELECT a.*, r.slug AS rule, v.version AS rule_version, COALESCE(v.definition ->> 'title', r.slug) AS rule_title, k.key
    FROM alert a
    JOIN rule_version v ON v.id = a.rule_version_id
    JOIN rule r ON r.id = v.rule_id
    CROSS JOIN LATERAL (
        SELECT CASE %(sort)s::text
            WHEN 'money' THEN coalesce(a.impact_money, -1)
            WHEN 'water' THEN coalesce(a.impact_water, -1)
            WHEN 'energy' THEN coalesce(a.impact_energy, -1)
            WHEN 'people' THEN coalesce(a.impact_people, a.impact_customers, -1)::double precision
            ELSE 0 END AS key
    ) k
    WHERE (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
      AND (%(id)s::uuid IS NULL OR a.id = %(id)s)
      AND (%(states)s::text[] IS NULL OR a.state = ANY (%(states)s))
      AND (%(severities)s::text[] IS NULL OR a.severity = ANY (%(severities)s))
      AND (%(rule)s::text IS NULL OR r.slug = %(rule)s)
      AND (%(organisation)s::text IS NULL
           OR a.organisation_id = (SELECT o.id FROM organisation o WHERE o.slug = %(organisation)s))
      AND (%(device)s::text IS NULL
           OR a.device_id IN (SELECT d.id FROM device d WHERE d.external_id = %(device)s))
      AND (%(device_id)s::integer IS NULL OR a.device_id = %(device_id)s)
      AND (%(explained)s::boolean IS NULL
           OR (a.explained_by IS NOT NULL OR a.explained_by_interruption IS NOT NULL) = %(explained)s)
      AND (%(explained_by)s::uuid IS NULL OR a.explained_by = %(explained_by)s)
      AND (%(acknowledged)s::boolean IS NULL OR (a.acknowledged_at IS NOT NULL) = %(acknowledged)s)
      AND (%(open)s::boolean IS NULL
           OR (a.state IN ('pending', 'firing') AND a.resolution IS NULL) = %(open)s)
      AND (%(handled)s::boolean IS NULL OR (a.resolution IS NOT NULL) = %(handled)s)
      AND (%(assigned)s::boolean IS NULL OR (a.assigned_to IS NOT NULL) = %(assigned)s)
      AND (%(assigned_to)s::text IS NULL OR a.assigned_to = %(assigned_to)s)
      AND (%(resolutions)s::text[] IS NULL OR a.resolution = ANY (%(resolutions)s))
      AND a.opened_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND a.opened_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND (%(updated_since)s::timestamptz IS NULL OR a.updated_at >= %(updated_since)s)
      AND (%(incident_id)s::uuid IS NULL OR a.incident_id = %(incident_id)s)
      AND (%(after)s::timestamptz IS NULL OR k.key < %(after_key)s::double precision
           OR (k.key = %(after_key)s::double precision
               AND (a.opened_at, a.id) < (%(after)s::timestamptz, %(after_id)s::uuid)))
    ORDER BY k.key DESC, a.opened_at DESC, a.id DESC
    LIMIT %(limit)s
)
SELECT page.id, page.rule, page.rule_version, page.rule_title, page.organisation_id, o.slug AS organisation,
       s.slug AS site, d.external_id AS device, page.device_id, d.name AS device_name, page.series_id, series.metric,
       page.severity, page.state, page.opened_at, page.fired_at, page.resolved_at, page.recorded_at, page.late,
       page.value, page.summary, page.evidence, page.acknowledged_at, page.acknowledged_by, page.key, page.incident_id,
       page.impact_water, page.impact_energy, page.impact_money, page.impact_currency, page.impact_people,
       page.impact_customers, page.impact_missing,
       page.explained_by, page.explained_by_interruption, page.explained_until,
       COALESCE((SELECT i.title FROM interruption i WHERE i.id = page.explained_by_interruption),
                (SELECT COALESCE(cv.definition ->> 'title' || ': ', '') || COALESCE(cd.name, cs.name, c.summary)
                 FROM alert c
                 JOIN rule_version cv ON cv.id = c.rule_version_id
                 LEFT JOIN device cd ON cd.id = c.device_id
                 LEFT JOIN site cs ON cs.id = c.site_id
                 WHERE c.id = page.explained_by)) AS explained_by_title,
       (SELECT count(*) FROM alert e WHERE e.explained_by = page.id AND e.state <> 'retracted') AS explains,
       (SELECT m.silence_id FROM silence_match m
        WHERE m.alert_id = page.id AND page.state = 'firing' AND m.starts_at <= now() AND m.ends_at > now()
        ORDER BY m.ends_at DESC LIMIT 1) AS silenced_by,
       page.assigned_to, page.assigned_at, page.assigned_by, page.resolution, page.resolution_note,
       page.resolved_by_hand_at, page.resolved_by, page.raises,
       (SELECT p.author FROM incident_apart p WHERE p.alert_id = page.id) AS taken_out_by,
       COALESCE(fix.longitude, d.longitude) AS longitude, COALESCE(fix.latitude, d.latitude) AS latitude
FROM page
JOIN organisation o ON o.id = page.organisation_id
LEFT JOIN device d ON d.id = page.device_id
LEFT JOIN series ON series.id = page.series_id
LEFT JOIN site s ON s.id = COALESCE(page.site_id, d.site_id)
-- where a tracker was when it happened; what never moves has no fixes
LEFT JOIN LATERAL position_at(page.device_id, coalesce(page.fired_at, page.opened_at)) fix ON true
ORDER BY page.key DESC, page.opened_at DESC, page.id DESC;

-- transitions: what became of an alert, in the order of recording
SELECT t.id, t.kind, t.at, t.recorded_at, t.author, t.detail
FROM alert_transition t
WHERE t.alert_id = %(id)s
ORDER BY t.id;

-- comments: what people wrote beside an alert, oldest first
SELECT c.id, c.author, c.body, c.created_at
FROM alert_comment c
WHERE c.alert_id = %(id)s
ORDER BY c.id;

-- notifications: who was to be told of an alert and what came of it, with every attempt
SELECT n.id, r.slug AS receiver, r.channel, n.message ->> 'kind' AS kind, 
       COALESCE(n.composed, n.message) ->> 'headline' AS headline,
       COALESCE(n.composed, n.message) ->> 'text' AS text, n.state, n.reason, n.silence_id, n.grouped_in, n.created_at, n.next_attempt_at, n.delivered_at,
       COALESCE((
           SELECT jsonb_agg(jsonb_build_object(
               'number', t.number, 'at', t.at, 'outcome', t.outcome, 'detail', t.detail) ORDER BY t.number)
           FROM attempt t
           WHERE t.outbox_id = n.id
       ), '[]') AS attempts
FROM outbox n
JOIN receiver r ON r.id = n.receiver_id
WHERE n.alert_id = %(id)s
ORDER BY n.created_at, n.id;

-- between: alerts that an id names which is cut short; two are one too many
SELECT a.id FROM alert a WHERE a.id >= %(first)s AND a.id <= %(last)s ORDER BY a.id LIMIT 2;

-- head: the alert that stands in an alert's place after late data moved it; most stand for themselves
SELECT alert_head(%(id)s) AS id;

-- lock: hold an alert, or what stands in its place, for a change, if the asker may see it
SELECT a.id, a.state, a.acknowledged_at, a.assigned_to, a.resolution, a.resolution_note, a.resolved_by
FROM alert a
WHERE a.id = alert_head(%(id)s) AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
FOR UPDATE;

-- acknowledge: who took it up, and when
UPDATE alert SET acknowledged_at = %(now)s, acknowledged_by = %(author)s, updated_at = now() WHERE id = %(id)s;

-- assign: whose work it is from now on
UPDATE alert SET assigned_to = %(person)s, assigned_at = %(now)s, assigned_by = %(author)s, updated_at = now()
WHERE id = %(id)s;

-- unassign: nobody's work
UPDATE alert SET assigned_to = NULL, assigned_at = NULL, assigned_by = NULL, updated_at = now() WHERE id = %(id)s;

-- resolve: a person's verdict beside what the fold says
UPDATE alert
SET resolution = %(resolution)s, resolution_note = %(note)s, resolved_by_hand_at = %(now)s, resolved_by = %(author)s,
    updated_at = now()
WHERE id = %(id)s;

-- reopen: the verdict is taken back; the history keeps it
UPDATE alert
SET resolution = NULL, resolution_note = NULL, resolved_by_hand_at = NULL, resolved_by = NULL, updated_at = now()
WHERE id = %(id)s;

-- keep_back: what is not told yet of an alert that a person resolved need not wake anybody
WITH kept AS (
    SELECT id FROM outbox
    WHERE alert_id = ANY ((SELECT with_superseded(ARRAY[%(id)s::uuid]))::uuid[]) AND state = 'pending'
      AND message ->> 'kind' IN ('firing', 'raised') AND grouped_in IS NULL AND composed IS NULL
    ORDER BY id
    FOR UPDATE
)
UPDATE outbox o SET state = 'suppressed', reason = %(reason)s FROM kept WHERE o.id = kept.id;

-- touch: something was written beside it
UPDATE alert SET updated_at = now() WHERE id = %(id)s;

-- transition: record what a person did
INSERT INTO alert_transition (alert_id, kind, at, author, detail)
VALUES (%(id)s, %(kind)s, %(now)s, %(author)s, %(detail)s);

-- comment: what a person wrote
INSERT INTO alert_comment (alert_id, author, body, created_at)
VALUES (%(id)s, %(author)s, %(body)s, %(now)s)
RETURNING id, author, body, created_at;

-- said: whether this person wrote exactly this before
SELECT 1 FROM alert_comment WHERE alert_id = %(id)s AND author = %(author)s AND body = %(body)s LIMIT 1;

-- notify: wake those who follow alerts, at commit
SELECT wake('veldwatch_alert', a.id::text), wake('veldwatch_incident', coalesce(a.incident_id::text, ''))
FROM alert a WHERE a.id = %(id)s;
