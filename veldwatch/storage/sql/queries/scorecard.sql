-- fired: alerts that fired in a stretch and were not retracted, each with its rule, its device, and the sites that hold it
WITH RECURSIVE path AS (
    SELECT id, parent_id, ARRAY[slug] AS slugs FROM site WHERE parent_id IS NULL
    UNION ALL
    SELECT s.id, s.parent_id, p.slugs || s.slug FROM site s JOIN path p ON s.parent_id = p.id
)
SELECT r.slug, a.fired_at, o.slug, d.external_id, path.slugs,
       a.explained_by IS NOT NULL OR a.explained_by_interruption IS NOT NULL, a.explained_until, a.resolved_at
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
JOIN organisation o ON o.id = a.organisation_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN path ON path.id = coalesce(a.site_id, d.site_id)
WHERE a.fired_at >= %(since)s AND a.fired_at < %(until)s AND a.state <> 'retracted'
ORDER BY a.fired_at, a.id;

-- extent: the first and the last time at which some devices observed anything
SELECT min(o.first), max(o.last)
FROM (
    SELECT t.first, t.last
    FROM series s
    CROSS JOIN LATERAL (
        SELECT min(r.observed_at) AS first, max(r.observed_at) AS last FROM reading_raw r WHERE r.series_id = s.id
    ) AS t
    WHERE s.device_id = ANY (%(devices)s::integer[])
    UNION ALL
    SELECT t.first, t.last
    FROM unnest(%(devices)s::integer[]) AS d (id)
    CROSS JOIN LATERAL (
        SELECT min(p.observed_at) AS first, max(p.observed_at) AS last FROM position_raw p WHERE p.device_id = d.id
    ) AS t
) AS o;

-- evidence: how many readings and fixes some devices gave in a stretch, and how often they were heard then
SELECT (SELECT count(*) FROM reading_raw r
        WHERE r.observed_at >= %(since)s AND r.observed_at < %(until)s
          AND r.series_id IN (SELECT id FROM series WHERE device_id = ANY (%(devices)s::integer[]))),
       (SELECT count(*) FROM position_raw p
        WHERE p.observed_at >= %(since)s AND p.observed_at < %(until)s
          AND p.device_id = ANY (%(devices)s::integer[])),
       (SELECT count(*) FROM contact c
        WHERE c.received_at >= %(since)s AND c.received_at < %(until)s
          AND c.device_id = ANY (%(devices)s::integer[]));

-- observed_moments: a page of the moments at which a device observed anything, after one; microseconds
SELECT (extract(epoch FROM o.observed_at) * 1000000)::bigint
FROM (
    SELECT t.observed_at
    FROM series s
    CROSS JOIN LATERAL (
        SELECT r.observed_at
        FROM reading_raw r
        WHERE r.series_id = s.id AND r.observed_at > coalesce(%(after)s::timestamptz, '-infinity')
          AND r.observed_at < %(until)s
        ORDER BY r.observed_at
        LIMIT %(limit)s
    ) AS t
    WHERE s.device_id = %(device)s
    UNION
    (SELECT p.observed_at
     FROM position_raw p
     WHERE p.device_id = %(device)s AND p.observed_at > coalesce(%(after)s::timestamptz, '-infinity')
       AND p.observed_at < %(until)s
     ORDER BY p.observed_at
     LIMIT %(limit)s)
) AS o
ORDER BY 1
LIMIT %(limit)s;
