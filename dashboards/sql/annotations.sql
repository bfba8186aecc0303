-- alerts: alerts that overlap the window, also those opened before it
SELECT opened_at AS time, coalesce(resolved_at, now()) AS timeend,
       summary || ' (' || device_name || ', ' || state || ')' AS text, severity || ',' || rule AS tags
FROM dashboard.alert
WHERE state IN ('firing', 'resolved')
  AND opened_at <= $__timeTo() AND (resolved_at IS NULL OR resolved_at >= $__timeFrom())
  AND {{in_organisations}}
ORDER BY opened_at DESC
LIMIT 200

-- alerts_of_device: alerts of the chosen device that overlap the window
SELECT opened_at AS time, coalesce(resolved_at, now()) AS timeend,
       summary || ' (' || state || ')' AS text, severity || ',' || rule AS tags
FROM dashboard.alert
WHERE state IN ('firing', 'resolved')
  AND opened_at <= $__timeTo() AND (resolved_at IS NULL OR resolved_at >= $__timeFrom())
  AND device_id = ANY (ARRAY(SELECT id FROM dashboard.device WHERE id::text = ANY (ARRAY[${device:sqlstring}]::text[])))
ORDER BY opened_at DESC
LIMIT 200
