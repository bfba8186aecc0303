-- load_alerts: recorded alerts of folds that were not settled by a position, and those of given ids
SELECT a.rule_version_id, a.subject, a.id, a.state, a.opened_at, a.fired_at, a.resolved_at, a.settled_at, a.recorded_at,
       a.late, a.told, a.value, a.evidence, a.superseded_by, a.acknowledged_at, a.acknowledged_by, a.raises
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[], %(after)s::timestamptz[]) AS wanted (version, subject, after)
JOIN alert a ON a.rule_version_id = wanted.version AND a.subject = wanted.subject
WHERE a.state <> 'retracted' AND (a.settled_at IS NULL OR a.settled_at > coalesce(wanted.after, '-infinity'))
UNION
SELECT a.rule_version_id, a.subject, a.id, a.state, a.opened_at, a.fired_at, a.resolved_at, a.settled_at, a.recorded_at,
       a.late, a.told, a.value, a.evidence, a.superseded_by, a.acknowledged_at, a.acknowledged_by, a.raises
FROM alert a
WHERE a.id = ANY (%(ids)s::uuid[]);

-- open_alerts: alerts of a share's subjects that are pending or firing
SELECT a.rule_version_id, a.subject, a.id, a.state, a.opened_at, a.fired_at, a.resolved_at, a.settled_at, a.recorded_at,
       a.late, a.told, a.value, a.evidence, a.superseded_by, a.acknowledged_at, a.acknowledged_by, a.raises
FROM alert a
WHERE a.state IN ('pending', 'firing') AND (%(division)s = 1 OR rule_place(a.subject, %(division)s) = %(place)s);

-- unsettled: folds with an alert that the next observation may still change
SELECT DISTINCT rule_version_id, subject FROM alert WHERE settled_at IS NULL AND state <> 'retracted';

-- answered_stretches: alerts of other versions of the same rules that ended, but not because the rule was changed
SELECT wanted.version, wanted.subject, a.opened_at, a.resolved_at
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[]) AS wanted (version, subject)
JOIN rule_version v ON v.id = wanted.version
JOIN rule_version other ON other.rule_id = v.rule_id AND other.id <> v.id
JOIN alert a ON a.rule_version_id = other.id AND a.subject = wanted.subject
WHERE a.state = 'resolved'
  AND NOT EXISTS (SELECT 1 FROM alert_transition t
                  WHERE t.alert_id = a.id AND t.detail->>'reason' = 'rule_withdrawn');

-- take_turn: one writes to several alerts at a time, until the end of the transaction
SELECT pg_advisory_xact_lock(%(lock)s);

-- save_alert: an alert as it is now; who acknowledged it stays, unless an alert that it replaces was acknowledged
INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, series_id, subject, severity, state, opened_at,
                   fired_at, resolved_at, settled_at, recorded_at, late, told, value, summary, evidence, superseded_by,
                   acknowledged_at, acknowledged_by, raises, updated_at)
VALUES (%(id)s, %(version)s, %(organisation_id)s, %(device_id)s, %(site_id)s, %(series_id)s, %(subject)s, %(severity)s,
        %(state)s, %(opened_at)s, %(fired_at)s, %(resolved_at)s, %(settled_at)s, %(recorded_at)s, %(late)s, %(told)s,
        %(value)s, %(summary)s, %(evidence)s, %(superseded_by)s, %(acknowledged_at)s, %(acknowledged_by)s, %(raises)s,
        %(now)s)
ON CONFLICT (id) DO UPDATE
SET state = EXCLUDED.state, severity = EXCLUDED.severity, raises = EXCLUDED.raises, fired_at = EXCLUDED.fired_at, resolved_at = EXCLUDED.resolved_at,
    settled_at = EXCLUDED.settled_at, recorded_at = EXCLUDED.recorded_at, late = EXCLUDED.late, told = EXCLUDED.told,
    value = EXCLUDED.value, summary = EXCLUDED.summary, evidence = EXCLUDED.evidence,
    superseded_by = EXCLUDED.superseded_by,
    acknowledged_at = coalesce(alert.acknowledged_at, EXCLUDED.acknowledged_at),
    acknowledged_by = coalesce(alert.acknowledged_by, EXCLUDED.acknowledged_by), updated_at = EXCLUDED.updated_at;

-- close_alert: the end of an alert whose rule is gone
UPDATE alert
SET state = %(state)s, resolved_at = %(resolved_at)s, settled_at = %(settled_at)s, updated_at = %(now)s
WHERE id = %(id)s
RETURNING organisation_id, severity;

-- add_transition: an entry in an alert's history
INSERT INTO alert_transition (alert_id, kind, at, recorded_at, detail)
VALUES (%(alert_id)s, %(kind)s, %(at)s, %(now)s, %(detail)s)
RETURNING id;

-- wake: tell listeners of alerts that changed
SELECT wake('veldwatch_alert', id::text) FROM unnest(%(ids)s::uuid[]) AS changed (id);

-- last_message: what was last told of an alert, to word its end
SELECT message FROM outbox WHERE alert_id = %(id)s ORDER BY created_at DESC LIMIT 1;

-- inherit_apart: whoever was taken out of an incident stays so where another stands in its place
INSERT INTO incident_apart (alert_id, stayed_id, at, author)
SELECT old.superseded_by, p.stayed_id, p.at, p.author
FROM incident_apart p JOIN alert old ON old.id = p.alert_id
WHERE old.id = ANY (%(ids)s::uuid[]) AND old.superseded_by IS NOT NULL AND old.superseded_by <> p.stayed_id
ON CONFLICT (alert_id) DO NOTHING;

-- inherit_merges: what people said of two alerts holds of those that stand in their place
INSERT INTO incident_merge (alert_id, other_id, at, author)
SELECT least(w.one, w.other), greatest(w.one, w.other), w.at, w.author
FROM (
    SELECT alert_head(m.alert_id) AS one, alert_head(m.other_id) AS other, m.at, m.author
    FROM incident_merge m
    WHERE m.ended_at IS NULL AND (m.alert_id = ANY (%(ids)s::uuid[]) OR m.other_id = ANY (%(ids)s::uuid[]))
) w
WHERE w.one <> w.other
ON CONFLICT (alert_id, other_id) WHERE ended_at IS NULL DO NOTHING;

-- inherit_handling: what people did with an alert that late data moved goes over to the one that stands in its place
UPDATE alert new
SET assigned_to = coalesce(new.assigned_to, old.assigned_to),
    assigned_at = CASE WHEN new.assigned_to IS NULL THEN old.assigned_at ELSE new.assigned_at END,
    assigned_by = CASE WHEN new.assigned_to IS NULL THEN old.assigned_by ELSE new.assigned_by END,
    resolution = coalesce(new.resolution, old.resolution),
    resolution_note = CASE WHEN new.resolution IS NULL THEN old.resolution_note ELSE new.resolution_note END,
    resolved_by_hand_at = CASE WHEN new.resolution IS NULL THEN old.resolved_by_hand_at ELSE new.resolved_by_hand_at END,
    resolved_by = CASE WHEN new.resolution IS NULL THEN old.resolved_by ELSE new.resolved_by END
FROM alert old
WHERE old.id = ANY (%(ids)s::uuid[]) AND new.id = old.superseded_by;
