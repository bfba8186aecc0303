-- places: the ids of what a matcher names within an organisation
SELECT o.id,
       (SELECT s.id FROM site s WHERE s.organisation_id = o.id AND s.slug = %(site)s::text),
       (SELECT d.id FROM device d WHERE d.organisation_id = o.id AND d.external_id = %(device)s::text)
FROM organisation o
WHERE o.slug = %(organisation)s;

-- make: a silence
INSERT INTO silence (organisation_id, rule, site_id, device_id, tag, profile, severities, labels, everything, author, reason,
                     starts_at, ends_at, created_at)
VALUES (%(organisation_id)s, %(rule)s, %(site_id)s, %(device_id)s, %(tag)s, %(profile)s, %(severities)s::text[],
        %(labels)s, %(everything)s, %(author)s, %(reason)s, %(starts_at)s, %(ends_at)s, %(now)s)
RETURNING id;

-- record: what somebody did with a silence
INSERT INTO silence_change (silence_id, kind, at, author, ends_at)
VALUES (%(id)s, %(kind)s, %(now)s, %(author)s, %(ends_at)s);

-- list: silences, those that end last first, with how many alerts each kept back; an organisation sees those for all too
SELECT s.id, o.slug AS organisation, s.rule, site.slug AS site, d.external_id AS device, s.tag, s.profile, s.severities,
       s.labels, s.everything, s.author, s.reason, s.starts_at, s.ends_at, s.created_at,
       CASE WHEN s.ends_at <= %(now)s THEN 'expired' WHEN s.starts_at > %(now)s THEN 'coming' ELSE 'active' END AS state,
       (SELECT count(DISTINCT n.alert_id) FROM outbox n WHERE n.silence_id = s.id) AS kept_back
FROM silence s
LEFT JOIN organisation o ON o.id = s.organisation_id
LEFT JOIN site ON site.id = s.site_id
LEFT JOIN device d ON d.id = s.device_id
WHERE (%(scope)s::integer IS NULL OR s.organisation_id IS NULL OR s.organisation_id = %(scope)s)
  AND (%(id)s::bigint IS NULL OR s.id = %(id)s)
  AND (%(expired)s OR s.ends_at > %(now)s)
  AND (%(after)s::timestamptz IS NULL OR (s.ends_at, s.id) < (%(after)s::timestamptz, %(after_id)s::bigint))
ORDER BY s.ends_at DESC, s.id DESC
LIMIT %(limit)s;

-- lock: hold a silence for a change, if the asker may change it
SELECT id, starts_at, ends_at FROM silence
WHERE id = %(id)s AND (%(scope)s::integer IS NULL OR organisation_id = %(scope)s)
FOR UPDATE;

-- end: let a silence end at another time
UPDATE silence SET ends_at = greatest(starts_at, %(ends_at)s) WHERE id = %(id)s;

-- changes: what was done with a silence, oldest first
SELECT kind, at, author, ends_at FROM silence_change WHERE silence_id = %(id)s ORDER BY id;

-- holding: alerts that a silence matches and that hold now, worst first
SELECT a.id, r.slug AS rule, o.slug AS organisation, s.slug AS site, d.external_id AS device, d.name AS device_name,
       a.severity, a.state, a.opened_at, a.fired_at, a.resolved_at, a.summary, count(*) OVER () AS total
FROM silence_match m
JOIN alert a ON a.id = m.alert_id
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
JOIN organisation o ON o.id = a.organisation_id
LEFT JOIN site s ON s.id = a.site_id
LEFT JOIN device d ON d.id = a.device_id
WHERE m.silence_id = %(id)s AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s) AND a.state = 'firing'
ORDER BY array_position(ARRAY['critical', 'major', 'minor', 'info'], a.severity), a.opened_at DESC, a.id
LIMIT %(limit)s;

-- muted: alerts that fired and that a silence matched while both lasted, newest first
SELECT a.id, r.slug AS rule, o.slug AS organisation, s.slug AS site, d.external_id AS device, d.name AS device_name,
       a.severity, a.state, a.opened_at, a.fired_at, a.resolved_at, a.summary, count(*) OVER () AS total
FROM silence_match m
JOIN alert a ON a.id = m.alert_id
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
JOIN organisation o ON o.id = a.organisation_id
LEFT JOIN site s ON s.id = a.site_id
LEFT JOIN device d ON d.id = a.device_id
WHERE m.silence_id = %(id)s AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s) AND a.state IN ('firing', 'resolved') AND a.fired_at < m.ends_at AND a.opened_at < %(now)s
  AND (a.resolved_at IS NULL OR a.resolved_at >= m.starts_at)
ORDER BY a.opened_at DESC, a.id
LIMIT %(limit)s;
