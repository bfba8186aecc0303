-- open_incidents: incidents that are open
SELECT count(*) AS incidents
FROM dashboard.incident
WHERE state = 'open' AND resolved_at IS NULL
  AND {{in_organisations}} AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])

-- waiting: firing alerts that nobody has acknowledged and nothing explains
SELECT count(*) AS alerts
FROM dashboard.alert_detail a
WHERE a.state = 'firing' AND a.resolved_at IS NULL AND a.acknowledged_at IS NULL AND a.explained_by IS NULL AND a.explained_by_interruption IS NULL
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])

-- oldest: how long the oldest of them has waited, in seconds
SELECT coalesce(extract(epoch FROM now() - min(a.recorded_at)), 0)::double precision AS seconds
FROM dashboard.alert_detail a
WHERE a.state = 'firing' AND a.resolved_at IS NULL AND a.acknowledged_at IS NULL AND a.explained_by IS NULL AND a.explained_by_interruption IS NULL
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])

-- answer: by severity the time until alerts of the window were acknowledged and until they ended, of half and of nine in ten
SELECT a.severity, count(*) AS alerts, count(a.acknowledged_at) AS acknowledged,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.acknowledged_at - a.recorded_at)) AS acknowledge_median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM a.acknowledged_at - a.recorded_at)) AS acknowledge_p90,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.resolved_at - a.fired_at)) AS resolve_median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM a.resolved_at - a.fired_at)) AS resolve_p90
FROM dashboard.alert_detail a
WHERE a.state IN ('firing', 'resolved') AND $__timeFilter(a.fired_at)
  AND a.explained_by IS NULL AND a.explained_by_interruption IS NULL
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY a.severity, a.severity_rank
ORDER BY a.severity_rank DESC

-- fired: alerts by the time when their condition was met
SELECT dashboard.bucket(fired_at, greatest($__interval_ms * 24, 3600000), $__timeFrom()) AS time,
       severity, count(*) AS alerts
FROM dashboard.alert
WHERE $__timeFilter(fired_at) AND state IN ('firing', 'resolved')
  AND {{in_organisations}} AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY 1, 2
ORDER BY 1, 2

-- incidents: incidents of the window with their causes, open ones first
SELECT i.severity, i.state, i.opened_at, i.resolved_at,
       extract(epoch FROM coalesce(i.resolved_at, now()) - i.opened_at)::double precision AS lasted, i.cause, i.device_name,
       i.device_id::text AS device, i.site_name, i.site, i.organisation, i.alerts, i.impact_customers AS customers,
       i.acknowledged_by
FROM dashboard.incident i
WHERE i.opened_at <= $__timeTo() AND (i.resolved_at IS NULL OR i.resolved_at >= $__timeFrom())
  AND {{in_organisations i}} AND i.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
ORDER BY i.state = 'open' DESC, i.severity_rank DESC, i.opened_at DESC, i.id
LIMIT 200

-- rules: how often each rule fires, what came of it: taken back, explained by something else, called a false alarm by people
SELECT a.rule_title AS rule, count(*) FILTER (WHERE a.state IN ('firing', 'resolved')) AS alerts,
       count(DISTINCT a.device_id) AS devices,
       100.0 * count(*) FILTER (WHERE a.explained_by IS NOT NULL OR a.explained_by_interruption IS NOT NULL) / count(*) AS explained,
       count(*) FILTER (WHERE a.state = 'retracted') AS retracted,
       count(*) FILTER (WHERE a.resolution = 'false_alarm') AS false_alarms
FROM dashboard.alert_detail a
WHERE a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom()) AND a.state <> 'pending'
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 30

-- told: who was told: what was sent to each receiver, what was not, and how long it took
SELECT n.receiver, n.channel, count(*) FILTER (WHERE n.state = 'delivered') AS delivered,
       count(*) FILTER (WHERE n.state = 'pending') AS waiting, count(*) FILTER (WHERE n.state = 'failed') AS failed,
       count(*) FILTER (WHERE n.state = 'suppressed') AS suppressed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM n.delivered_at - n.created_at))
           FILTER (WHERE n.state = 'delivered') AS seconds,
       max(n.delivered_at) AS last_at
FROM dashboard.notification n
CROSS JOIN LATERAL (
    -- looked up, as in dashboard.incident
    SELECT b.organisation, b.severity FROM dashboard.alert b WHERE b.id = n.alert_id OFFSET 0
) a
WHERE n.created_at >= $__timeFrom() AND n.created_at <= $__timeTo()
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY 1, 2
ORDER BY 1, 2
LIMIT 100

-- list: every alert of the window, those that hold first
SELECT a.severity, a.state, a.opened_at, a.fired_at, a.resolved_at, a.late, a.rule_title, a.device_name,
       a.device_id::text AS device, a.site_name, a.site, a.organisation, a.summary, coalesce(a.acknowledged_by, '') AS acknowledged_by
FROM dashboard.alert a
WHERE a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom())
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
ORDER BY a.state = 'firing' DESC, a.opened_at DESC, a.id
LIMIT 500

-- transitions: what happened to the alerts, as a log
SELECT t.recorded_at AS time, t.kind || ': ' || a.summary || ' (' || a.device_name || ', by ' || t.author || ')' AS body,
       CASE a.severity WHEN 'critical' THEN 'critical' WHEN 'major' THEN 'error' WHEN 'minor' THEN 'warning'
            ELSE 'info' END AS level,
       t.id::text AS id
FROM dashboard.alert_transition t
CROSS JOIN LATERAL (
    -- looked up, as in dashboard.incident
    SELECT b.organisation, b.severity, b.summary, b.device_name FROM dashboard.alert b WHERE b.id = t.alert_id OFFSET 0
) a
WHERE $__timeFilter(t.recorded_at)
  AND {{in_organisations a}} AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
ORDER BY t.recorded_at DESC, t.id DESC
LIMIT 500
