-- reporting: share of devices that are heard from
SELECT count(*) FILTER (WHERE state = 'reporting') * 100.0 / nullif(count(*), 0) AS share
FROM dashboard.device_state
WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])

-- states: devices by state
SELECT w.state, count(d.id) AS devices
FROM unnest(ARRAY['reporting', 'silent', 'offline', 'never heard']) WITH ORDINALITY AS w (state, rank)
LEFT JOIN dashboard.device_state d
       ON d.state = w.state AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY w.state, w.rank
ORDER BY w.rank

-- firing: firing alerts by severity
SELECT w.severity, count(a.id) AS alerts
FROM unnest(ARRAY['critical', 'major', 'minor', 'info']) WITH ORDINALITY AS w (severity, rank)
LEFT JOIN dashboard.alert a
       ON a.severity = w.severity AND a.state = 'firing'
      AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY w.severity, w.rank
ORDER BY w.rank

-- map: where each device stands, worst state last so that it is drawn on top
SELECT d.latitude, d.longitude, d.name, d.state, d.last_contact_at, d.id::text AS device
FROM dashboard.device_state d
WHERE d.latitude IS NOT NULL AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY array_position(ARRAY['reporting', 'never heard', 'offline', 'silent'], d.state)
LIMIT 5000

-- alerts: what needs somebody now, worst first
SELECT a.severity, a.fired_at, a.rule_title, a.device_name, a.device_id::text AS device, a.site_name, a.site,
       a.organisation, a.summary, coalesce(a.acknowledged_by, '') AS acknowledged_by
FROM dashboard.alert a
WHERE a.state = 'firing' AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY a.severity_rank DESC, a.fired_at DESC
LIMIT 100

-- sites: each site's devices and alerts
SELECT d.organisation, d.site, d.site_name, count(*) AS devices,
       count(*) FILTER (WHERE d.state = 'reporting') * 100.0 / count(*) AS reporting,
       coalesce(sum(a.firing), 0)::bigint AS firing
FROM dashboard.device_state d
LEFT JOIN (SELECT device_id, count(*) AS firing FROM dashboard.alert WHERE state = 'firing' GROUP BY 1) a
       ON a.device_id = d.id
WHERE d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY 1, 2, 3
ORDER BY firing DESC, reporting, d.site_name
LIMIT 200

-- silent: devices that should have been heard, longest silence first
SELECT d.name, d.id::text AS device, d.site_name, d.site, d.organisation, d.state, d.last_contact_at
FROM dashboard.device_state d
WHERE d.state <> 'reporting' AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY d.last_contact_at NULLS FIRST
LIMIT 100

-- messages: messages that arrived, by organisation
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms * 4, 60000), $__timeFrom()) AS time,
       d.organisation, sum(c.messages) * 60000.0 / greatest($__interval_ms * 4, 60000) AS messages
FROM dashboard.contact c
JOIN dashboard.device d ON d.id = c.device_id
WHERE $__timeFilter(c.received_at) AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY 1, 2
ORDER BY 1, 2
