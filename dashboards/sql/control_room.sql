-- incidents: open incidents by severity
SELECT w.severity, count(i.id) AS incidents
FROM unnest(ARRAY['critical', 'major', 'minor', 'info']) WITH ORDINALITY AS w (severity, rank)
LEFT JOIN dashboard.incident i
       ON i.severity = w.severity AND i.state = 'open' AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY w.severity, w.rank
ORDER BY w.rank

-- unanswered: critical and major alerts that hold, that nothing explains and nobody took up
SELECT count(*) AS alerts
FROM dashboard.alert a
JOIN dashboard.alert_detail x ON x.id = a.id
WHERE a.state = 'firing' AND a.severity IN ('critical', 'major') AND a.acknowledged_at IS NULL
  AND x.explained_by IS NULL AND x.explained_by_interruption IS NULL
  AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])

-- customers: customers whom open incidents concern; one may be counted for two incidents
SELECT coalesce(sum(i.impact_customers), 0)::bigint AS customers
FROM dashboard.incident i
WHERE i.state = 'open' AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])

-- reporting: share of devices that are heard from
SELECT count(*) FILTER (WHERE state = 'reporting') * 100.0 / nullif(count(*), 0) AS share
FROM dashboard.device_state
WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])

-- water_now: what flows into all zones, in m3/h
SELECT r.bucket AS time, sum(r.average * s.factor) / 1000 AS flow
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
               WHERE s.quantity = 'flow' AND s.device_kind = 'meter'
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1
ORDER BY 1

-- power_now: what flows through all feeders, in kW
SELECT r.bucket AS time, sum(r.average * s.factor) AS power
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
               WHERE s.quantity = 'power' AND s.metric = 'power'
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1
ORDER BY 1

-- reservoirs: how full each reservoir is, in percent of the highest level that its profile allows
SELECT s.label AS device, 100 * r.value / m.maximum AS fill
FROM dashboard.series s
JOIN dashboard.metric_range m ON m.profile = s.profile AND m.metric = s.metric AND m.unit = s.unit AND m.maximum > 0
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'length' AND s.metric LIKE '%level%' AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY 2
LIMIT 5

-- open: open incidents, the worst first
SELECT i.severity, i.opened_at, i.cause, coalesce(nullif(i.device_name, ''), i.site_name) AS place, i.device_id::text AS device,
       i.site, i.organisation, i.alerts, i.impact_customers AS customers, i.acknowledged_by
FROM dashboard.incident i
WHERE i.state = 'open' AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY i.severity_rank DESC, i.opened_at DESC
LIMIT 40

-- map: open incidents by severity
SELECT i.latitude, i.longitude, i.cause || ' (' || coalesce(nullif(i.device_name, ''), i.site_name) || ')' AS name, i.severity, i.opened_at
FROM dashboard.incident i
WHERE i.state = 'open' AND i.latitude IS NOT NULL AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY i.severity_rank, i.opened_at
LIMIT 1000

-- devices: where the devices stand, by state; animals roam, and would make the map too wide
SELECT d.latitude, d.longitude, d.name, d.state, d.last_contact_at
FROM dashboard.device_state d
WHERE d.latitude IS NOT NULL AND d.kind <> 'tracker' AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY array_position(ARRAY['reporting', 'never heard', 'offline', 'silent'], d.state)
LIMIT 5000

-- outlines: zones, fences and rivers, as points along them
SELECT o.latitude, o.longitude, o.name, o.kind
FROM dashboard.site_outline o
WHERE o.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY o.site_id, o.ring, o.place
LIMIT 10000

-- held: how many alerts held at a time, by severity
SELECT g.at AS time, w.severity, count(a.id) AS alerts
FROM generate_series($__timeFrom()::timestamptz, $__timeTo()::timestamptz,
                     make_interval(secs => greatest($__interval_ms, 900000) / 1000.0)) AS g (at)
CROSS JOIN unnest(ARRAY['critical', 'major', 'minor', 'info']) AS w (severity)
LEFT JOIN dashboard.alert a
       ON a.fired_at <= g.at AND (a.resolved_at IS NULL OR a.resolved_at > g.at) AND a.state IN ('firing', 'resolved')
      AND a.severity = w.severity AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
GROUP BY 1, 2
ORDER BY 1, 2
