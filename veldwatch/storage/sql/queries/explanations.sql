-- concerns: whether any of some alerts is about silence or explains it
SELECT EXISTS (
    SELECT FROM alert a JOIN rule_version v ON v.id = a.rule_version_id
    WHERE a.id = ANY (%(ids)s::uuid[])
      AND (v.explains IS NOT NULL OR v.condition_kind = ANY (%(kinds)s::text[]))
);

-- touched: alerts whose explanation may change when some alerts changed: they, what they explained, what they may explain
WITH RECURSIVE cause AS (
    SELECT a.id, a.site_id, a.device_id, a.opened_at, a.resolved_at, v.explains
    FROM alert a JOIN rule_version v ON v.id = a.rule_version_id
    WHERE a.id = ANY (%(ids)s::uuid[]) AND v.explains IS NOT NULL AND a.state <> 'retracted'
), below (cause_id, site_id) AS (
    SELECT id, site_id FROM cause WHERE explains = 'silence' AND site_id IS NOT NULL
    UNION
    SELECT b.cause_id, s.id FROM below b JOIN site s ON s.parent_id = b.site_id
)
SELECT unnest(%(ids)s::uuid[]) AS id
UNION
SELECT a.id FROM alert a WHERE a.explained_by = ANY (%(ids)s::uuid[])
UNION
SELECT a.id
FROM below b
JOIN cause c ON c.id = b.cause_id
JOIN alert a ON a.site_id = b.site_id AND a.opened_at >= c.opened_at - %(reach)s::interval
            AND a.opened_at <= coalesce(c.resolved_at, 'infinity')
            AND (a.resolved_at IS NULL OR a.resolved_at >= c.opened_at)
UNION
SELECT a.id
FROM cause c
JOIN device d ON d.gateway_id = c.device_id
JOIN alert a ON a.device_id = d.id AND a.opened_at >= c.opened_at - %(reach)s::interval
            AND a.opened_at <= coalesce(c.resolved_at, 'infinity')
            AND (a.resolved_at IS NULL OR a.resolved_at >= c.opened_at)
WHERE c.explains = 'silence_behind_gateway';

-- within: alerts that interruptions explained or may explain
WITH RECURSIVE planned AS (
    SELECT i.id, i.begins_at, i.ends_at, p.site_id, p.device_id
    FROM interruption i JOIN interruption_place p ON p.interruption_id = i.id
    WHERE i.id = ANY (%(ids)s::bigint[])
), below (id, begins_at, ends_at, site_id) AS (
    SELECT id, begins_at, ends_at, site_id FROM planned WHERE site_id IS NOT NULL
    UNION
    SELECT b.id, b.begins_at, b.ends_at, s.id FROM below b JOIN site s ON s.parent_id = b.site_id
)
SELECT a.id FROM alert a WHERE a.explained_by_interruption = ANY (%(ids)s::bigint[])
UNION
SELECT a.id
FROM below b
JOIN alert a ON a.site_id = b.site_id AND a.opened_at >= b.begins_at - %(reach)s::interval AND a.opened_at <= b.ends_at
            AND (a.resolved_at IS NULL OR a.resolved_at >= b.begins_at)
UNION
SELECT a.id
FROM planned p
JOIN alert a ON a.device_id = p.device_id AND a.opened_at >= p.begins_at - %(reach)s::interval
            AND a.opened_at <= p.ends_at AND (a.resolved_at IS NULL OR a.resolved_at >= p.begins_at);

-- happenings: of some alerts what explaining asks of them, and how they are explained now
SELECT a.id, a.opened_at, a.resolved_at, a.site_id, a.device_id, d.gateway_id, v.condition_kind, v.explains,
       v.definition #>> '{condition,silent_for}' AS silent_for, p.expected_interval, a.state = 'retracted' AS retracted,
       a.explained_by, a.explained_by_interruption, a.explained_until
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN profile p ON p.id = d.profile_id
WHERE a.id = ANY (%(ids)s::uuid[]) AND (v.explains IS NOT NULL OR v.condition_kind = ANY (%(kinds)s::text[]));

-- paths: of some sites, each with all above it, outermost first
WITH RECURSIVE up (site_id, id, parent_id, steps) AS (
    SELECT s.id, s.id, s.parent_id, 0 FROM site s WHERE s.id = ANY (%(sites)s::integer[])
    UNION ALL
    SELECT up.site_id, s.id, s.parent_id, up.steps + 1 FROM up JOIN site s ON s.id = up.parent_id
)
SELECT site_id, array_agg(id ORDER BY steps DESC) FROM up GROUP BY site_id;

-- causes: alerts that explain silence at some sites or behind some gateways, within a stretch
SELECT a.id, a.opened_at, a.resolved_at, a.site_id, a.device_id, d.gateway_id, v.condition_kind, v.explains,
       NULL::text AS silent_for, NULL::interval AS expected_interval, false AS retracted, NULL::uuid, NULL::bigint,
       NULL::timestamptz
FROM rule_version v
JOIN alert a ON a.rule_version_id = v.id
LEFT JOIN device d ON d.id = a.device_id
WHERE v.explains IS NOT NULL AND a.state <> 'retracted'
  AND (a.site_id = ANY (%(sites)s::integer[]) OR a.device_id = ANY (%(gateways)s::integer[]))
  AND a.opened_at <= %(until)s AND (a.resolved_at IS NULL OR a.resolved_at >= %(since)s);

-- interruptions: those that are planned at some sites or devices within a stretch
SELECT i.id, i.begins_at, i.ends_at, array_agg(p.site_id) FILTER (WHERE p.site_id IS NOT NULL),
       array_agg(p.device_id) FILTER (WHERE p.device_id IS NOT NULL)
FROM interruption i
JOIN interruption_place p ON p.interruption_id = i.id
WHERE i.cancelled_at IS NULL AND i.begins_at <= %(until)s AND i.ends_at >= %(since)s
  AND (p.site_id = ANY (%(sites)s::integer[]) OR p.device_id = ANY (%(devices)s::integer[]))
GROUP BY i.id;

-- hangs: through which other devices some are heard, and how often they report
SELECT d.id, d.gateway_id, p.expected_interval
FROM device d LEFT JOIN profile p ON p.id = d.profile_id
WHERE d.id = ANY (%(devices)s::integer[]);

-- save: how some alerts are explained from now on
UPDATE alert a
SET explained_by = w.explained_by, explained_by_interruption = w.interruption, explained_until = w.until,
    updated_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(explained_by)s::uuid[], %(interruptions)s::bigint[], %(until)s::timestamptz[])
     AS w (id, explained_by, interruption, until)
WHERE a.id = w.id;
