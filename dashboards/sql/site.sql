-- devices: every device of the site, with a link to it
SELECT d.name, d.id::text AS device, d.external_id, d.profile, d.state, d.last_contact_at, coalesce(a.firing, 0) AS firing
FROM dashboard.device_state d
LEFT JOIN (SELECT device_id, count(*) AS firing FROM dashboard.alert WHERE state = 'firing' AND resolved_at IS NULL GROUP BY 1) a
       ON a.device_id = d.id
WHERE {{in_sites d}}
ORDER BY firing DESC, d.last_contact_at NULLS FIRST, d.name
LIMIT 500

-- contacts: which devices were heard when, the first 24 by name, in stretches of two hours or more: 0 no message, 1 heard
WITH chosen AS (
    SELECT id, name FROM dashboard.device
    WHERE {{in_sites}}
    ORDER BY name LIMIT 24
), heard AS (
    SELECT DISTINCT c.device_id, dashboard.bucket(c.received_at, greatest($__interval_ms, 7200000), $__timeFrom()) AS time
    FROM dashboard.contact c
    WHERE $__timeFilter(c.received_at) AND c.device_id = ANY (ARRAY(SELECT id FROM chosen))
), grid AS (
    SELECT dashboard.bucket(g.at, greatest($__interval_ms, 7200000), $__timeFrom()) AS time
    -- from the beginning of the stretch that the window begins in: else the last one is left out where it is shorter
    FROM generate_series(dashboard.bucket($__timeFrom(), greatest($__interval_ms, 7200000), '-infinity'), $__timeTo()::timestamptz,
                         make_interval(secs => greatest($__interval_ms, 7200000) / 1000.0)) AS g (at)
)
SELECT g.time, c.name AS device, count(h.device_id)::integer AS heard
FROM grid g
CROSS JOIN chosen c
LEFT JOIN heard h ON h.device_id = c.id AND h.time = g.time
GROUP BY 1, 2
ORDER BY 1, 2

-- alerts: alerts of the site in the window, newest first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.device_name, a.device_id::text AS device, a.summary
FROM dashboard.alert a
WHERE a.state IN ('firing', 'resolved')
  AND a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom())
  AND {{in_sites a}}
ORDER BY a.opened_at DESC, a.id
LIMIT 200

-- map: devices of the site
SELECT d.latitude, d.longitude, d.name, d.state, d.id::text AS device
FROM dashboard.device_state d
WHERE d.latitude IS NOT NULL
  AND {{in_sites d}}
ORDER BY array_position(ARRAY['reporting', 'never heard', 'offline', 'silent'], d.state)
LIMIT 5000
