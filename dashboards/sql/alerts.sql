-- states: alerts of the window by state
SELECT w.state, count(a.id) AS alerts
FROM unnest(ARRAY['pending', 'firing', 'resolved', 'retracted']) WITH ORDINALITY AS w (state, rank)
LEFT JOIN dashboard.alert a
       ON a.state = w.state AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
      AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
      AND a.opened_at <= $__timeTo() AND coalesce(a.resolved_at, now()) >= $__timeFrom()
GROUP BY w.state, w.rank
ORDER BY w.rank

-- waiting: firing alerts that nobody has acknowledged
SELECT count(*) AS alerts
FROM dashboard.alert
WHERE state = 'firing' AND acknowledged_at IS NULL
  AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])

-- answer: half of the alerts were acknowledged within this many seconds of being recorded
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - recorded_at)) AS median
FROM dashboard.alert
WHERE acknowledged_at IS NOT NULL AND $__timeFilter(recorded_at)
  AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])

-- fired: alerts by the time when their condition was met
SELECT dashboard.bucket(fired_at, greatest($__interval_ms, 3600000), $__timeFrom()) AS time,
       severity, count(*) AS alerts
FROM dashboard.alert
WHERE $__timeFilter(fired_at) AND state IN ('firing', 'resolved')
  AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY 1, 2
ORDER BY 1, 2

-- rules: how often each rule fires, and how much of it was taken back: noise is worth a better threshold
SELECT rule_title AS rule, count(*) FILTER (WHERE state IN ('firing', 'resolved')) AS alerts,
       count(*) FILTER (WHERE state = 'retracted') AS retracted, count(DISTINCT device_id) AS devices
FROM dashboard.alert
WHERE opened_at <= $__timeTo() AND coalesce(resolved_at, now()) >= $__timeFrom() AND state <> 'pending'
  AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND severity = ANY (ARRAY[${severity:sqlstring}]::text[])
GROUP BY 1
ORDER BY 2 DESC
LIMIT 20

-- list: every alert of the window
SELECT a.severity, a.state, a.opened_at, a.fired_at, a.resolved_at, a.late, a.rule_title, a.device_name,
       a.device_id::text AS device, a.site_name, a.value, a.summary, coalesce(a.acknowledged_by, '') AS acknowledged_by
FROM dashboard.alert a
WHERE a.opened_at <= $__timeTo() AND coalesce(a.resolved_at, now()) >= $__timeFrom()
  AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
ORDER BY a.opened_at DESC
LIMIT 500

-- transitions: what happened to the alerts, as a log
SELECT t.recorded_at AS time, t.kind || ': ' || a.summary || ' (' || a.device_name || ', by ' || t.author || ')' AS body,
       CASE a.severity WHEN 'critical' THEN 'critical' WHEN 'major' THEN 'error' WHEN 'minor' THEN 'warning'
            ELSE 'info' END AS level,
       t.id::text AS id
FROM dashboard.alert_transition t
JOIN dashboard.alert a ON a.id = t.alert_id
WHERE $__timeFilter(t.recorded_at)
  AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND a.severity = ANY (ARRAY[${severity:sqlstring}]::text[])
ORDER BY t.recorded_at DESC
LIMIT 500
