-- map: where each device stands, worst state last so that it is drawn on top
SELECT d.latitude, d.longitude, d.name, d.state, d.last_contact_at, d.id::text AS device
FROM dashboard.device_state d
WHERE d.latitude IS NOT NULL AND {{in_organisations d}}
ORDER BY array_position(ARRAY['reporting', 'never heard', 'offline', 'silent'], d.state)
LIMIT 5000

-- alerts: what needs somebody now, worst first
SELECT a.severity, a.fired_at, a.rule_title, a.device_name, a.device_id::text AS device, a.site_name, a.site,
       a.organisation, a.summary, coalesce(a.acknowledged_by, '') AS acknowledged_by
FROM dashboard.alert a
WHERE a.state = 'firing' AND a.resolved_at IS NULL AND {{in_organisations a}}
ORDER BY a.severity_rank DESC, a.fired_at DESC, a.id
LIMIT 100

-- sites: each site's devices and alerts
SELECT d.organisation, d.site, d.site_name, count(*) AS devices,
       count(*) FILTER (WHERE d.state = 'reporting') * 100.0 / count(*) AS reporting,
       coalesce(sum(a.firing), 0)::bigint AS firing
FROM dashboard.device_state d
LEFT JOIN (SELECT device_id, count(*) AS firing FROM dashboard.alert WHERE state = 'firing' AND resolved_at IS NULL GROUP BY 1) a
       ON a.device_id = d.id
WHERE {{in_organisations d}}
GROUP BY 1, 2, 3
ORDER BY firing DESC, reporting, d.site_name
LIMIT 200

-- silent: devices that should have been heard, longest silence first
SELECT d.name, d.id::text AS device, d.site_name, d.site, d.organisation, d.state, d.last_contact_at
FROM dashboard.device_state d
WHERE d.state <> 'reporting' AND {{in_organisations d}}
ORDER BY d.last_contact_at NULLS FIRST, d.name
LIMIT 100

-- messages: about how many messages arrived a minute, by organisation
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms * 4, 60000), $__timeFrom()) AS time,
       d.organisation, sum(c.messages * c.stands_for) * 60000.0 / greatest($__interval_ms * 4, 60000) AS messages
FROM dashboard.contacts(ARRAY(SELECT x.id FROM dashboard.device x WHERE {{in_organisations x}}), $__timeFrom(), $__timeTo()) c
JOIN dashboard.device d ON d.id = c.device_id
GROUP BY 1, 2
ORDER BY 1, 2
