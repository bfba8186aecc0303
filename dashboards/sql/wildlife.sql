-- last: where each animal was last seen
SELECT f.latitude, f.longitude, d.name, d.id::text AS device, f.observed_at, d.state
FROM dashboard.device_state d
JOIN LATERAL (
    SELECT latitude, longitude, observed_at FROM dashboard.position
    WHERE device_id = d.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) f ON true
WHERE d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
ORDER BY f.observed_at

-- track: fixes of the chosen animals, thinned to the picture
SELECT DISTINCT ON (d.name, dashboard.bucket(p.observed_at, greatest($__interval_ms, 1000), $__timeFrom()))
       p.observed_at AS time, p.latitude, p.longitude, d.name
FROM dashboard.position p
JOIN dashboard.device d ON d.id = p.device_id
WHERE $__timeFilter(p.observed_at) AND p.quality & 4 = 0
  AND p.device_id = ANY (ARRAY(
        SELECT id FROM dashboard.device
        WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
          AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
        ORDER BY name LIMIT 20))
ORDER BY d.name, dashboard.bucket(p.observed_at, greatest($__interval_ms, 1000), $__timeFrom()),
         p.observed_at

-- distance: kilometres between the fixes of each day (great circle): what the animal walked at least
SELECT f.day, f.name AS animal,
       sum(6371.0088 * 2 * asin(least(1, sqrt(
           sin(radians(f.latitude - f.latitude_before) / 2) ^ 2
           + cos(radians(f.latitude)) * cos(radians(f.latitude_before))
             * sin(radians(f.longitude - f.longitude_before) / 2) ^ 2)))) AS kilometres
FROM (
    SELECT date_trunc('day', p.observed_at, 'UTC') AS day, d.name, p.latitude, p.longitude,
           lag(p.latitude) OVER earlier AS latitude_before, lag(p.longitude) OVER earlier AS longitude_before
    FROM dashboard.position p
    JOIN dashboard.device d ON d.id = p.device_id
    WHERE $__timeFilter(p.observed_at) AND p.quality & 4 = 0
      AND p.device_id = ANY (ARRAY(
            SELECT id FROM dashboard.device
            WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
              AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
            ORDER BY name LIMIT 20))
    WINDOW earlier AS (PARTITION BY p.device_id ORDER BY p.observed_at)
) f
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC NULLS LAST
LIMIT 500

-- delay: minutes from fix to arrival, the median and the longest: an old fix is no news
SELECT dashboard.bucket(p.received_at, greatest($__interval_ms, 900000), $__timeFrom()) AS time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.received_at - p.observed_at)) AS median,
       max(extract(epoch FROM p.received_at - p.observed_at))::double precision AS longest
FROM dashboard.position p
WHERE $__timeFilter(p.observed_at)
  AND p.device_id = ANY (ARRAY(
        SELECT id FROM dashboard.device
        WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
          AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])))
GROUP BY 1
ORDER BY 1

-- animals: each tracker, when it was heard and how much charge is left
SELECT d.name, d.id::text AS device, d.external_id, d.state, d.last_contact_at, f.fixes, f.last_fix, b.value AS battery
FROM dashboard.device_state d
LEFT JOIN LATERAL (
    SELECT count(*) AS fixes, max(observed_at) AS last_fix FROM dashboard.position
    WHERE device_id = d.id AND $__timeFilter(observed_at)
) f ON true
LEFT JOIN LATERAL (
    SELECT r.value FROM dashboard.series s
    JOIN LATERAL (
        SELECT value FROM dashboard.reading WHERE series_id = s.id ORDER BY observed_at DESC LIMIT 1
    ) r ON true
    WHERE s.device_id = d.id AND s.metric LIKE '%batt%' AND s.unit = '%' LIMIT 1
) b ON true
WHERE d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
ORDER BY d.name
LIMIT 200

-- alerts: alerts of the animals in the window, newest first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.device_name, a.device_id::text AS device, a.summary
FROM dashboard.alert a
WHERE a.state IN ('firing', 'resolved')
  AND a.opened_at <= $__timeTo() AND coalesce(a.resolved_at, now()) >= $__timeFrom()
  AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
  AND a.device_id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
ORDER BY a.opened_at DESC
LIMIT 200
