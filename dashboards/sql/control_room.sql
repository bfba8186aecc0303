-- incidents: open incidents by severity
SELECT w.severity, count(i.id) AS incidents
FROM unnest(ARRAY['critical', 'major', 'minor', 'info']) WITH ORDINALITY AS w (severity, rank)
LEFT JOIN dashboard.incident i
       ON i.severity = w.severity AND i.state = 'open' AND i.resolved_at IS NULL AND {{in_organisations i}}
GROUP BY w.severity, w.rank
ORDER BY w.rank

-- unanswered: critical and major alerts that hold, that nothing explains and nobody took up
SELECT count(*) AS alerts
FROM dashboard.alert_detail a
WHERE a.state = 'firing' AND a.resolved_at IS NULL AND a.severity IN ('critical', 'major') AND a.acknowledged_at IS NULL
  AND a.explained_by IS NULL AND a.explained_by_interruption IS NULL
  AND {{in_organisations a}}

-- customers: customers whom open incidents concern; one may be counted for two incidents
SELECT coalesce(sum(i.impact_customers), 0)::bigint AS customers
FROM dashboard.incident i
WHERE i.state = 'open' AND i.resolved_at IS NULL AND {{in_organisations i}}

-- open: open incidents, the worst first
SELECT i.severity, i.opened_at, i.cause, coalesce(nullif(i.device_name, ''), i.site_name) AS place, i.device_id::text AS device,
       i.site, i.organisation, i.alerts, i.impact_customers AS customers, i.acknowledged_by
FROM dashboard.incident i
WHERE i.state = 'open' AND i.resolved_at IS NULL AND {{in_organisations i}}
ORDER BY i.severity_rank DESC, i.opened_at DESC, i.id
LIMIT 40

-- map: open incidents by severity
SELECT i.latitude, i.longitude, i.cause || ' (' || coalesce(nullif(i.device_name, ''), i.site_name) || ')' AS name, i.severity, i.opened_at
FROM dashboard.incident i
WHERE i.state = 'open' AND i.resolved_at IS NULL AND i.latitude IS NOT NULL AND {{in_organisations i}}
ORDER BY i.severity_rank, i.opened_at
LIMIT 1000

-- devices: where the devices stand, by state; animals roam, and would make the map too wide
SELECT d.latitude, d.longitude, d.name, d.state, d.last_contact_at
FROM dashboard.device_state d
WHERE d.latitude IS NOT NULL AND d.kind <> 'tracker' AND {{in_organisations d}}
ORDER BY array_position(ARRAY['reporting', 'never heard', 'offline', 'silent'], d.state)
LIMIT 5000

-- outlines: zones, fences and rivers, as points along them
SELECT o.latitude, o.longitude, o.name, o.kind
FROM dashboard.site_outline o
WHERE {{in_organisations o}}
ORDER BY o.site_id, o.ring, o.place
LIMIT 10000
