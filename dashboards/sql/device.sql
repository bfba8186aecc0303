-- band: one metric as average with its smallest and largest value; the unit is the device's own
SELECT r.bucket AS time, r.average, r.minimum, r.maximum
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series WHERE device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[]))) AND metric = ANY (ARRAY[${metric:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
ORDER BY 1

-- identity: what the device is and when it was last heard
SELECT d.name, d.external_id, d.organisation, d.site_name, d.profile, d.status, d.state, d.last_contact_at
FROM dashboard.device_state d
WHERE d.id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))

-- latest: the newest value of each metric
SELECT s.metric, r.value, s.unit, r.observed_at, r.received_at
FROM dashboard.series s
JOIN LATERAL (
    SELECT value, observed_at, received_at FROM dashboard.reading_newest_first
    WHERE series_id = s.id ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))
ORDER BY 1

-- delay: seconds from observation to arrival, the newest observation of each contact
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 60000), $__timeFrom()) AS time,
       max(extract(epoch FROM c.received_at - c.last_observed_at))::double precision AS delay
FROM dashboard.contact c
WHERE $__timeFilter(c.received_at) AND c.last_observed_at IS NOT NULL
  AND c.device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))
GROUP BY 1
ORDER BY 1

-- events: what happened at the device
SELECT e.observed_at AS time, e.kind || ' ' || e.attributes::text AS body, 'info' AS level, e.digest AS id
FROM dashboard.event e
WHERE $__timeFilter(e.observed_at)
  AND e.device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))
ORDER BY e.observed_at DESC
LIMIT 500

-- alerts: its alerts in the window, newest first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.summary
FROM dashboard.alert a
WHERE a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom())
  AND a.device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))
ORDER BY a.opened_at DESC, a.id
LIMIT 200
