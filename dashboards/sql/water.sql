-- flow: flow by device, in L/h
SELECT r.bucket AS time, s.label AS device, r.average * s.factor AS flow
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'flow' AND device_kind <> 'sensor' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- flow_now: the newest flow of each device that reported within a day, in L/h
SELECT s.label AS device, r.value * s.factor AS flow
FROM dashboard.series s
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at > now() - interval '1 day' ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'flow' AND s.device_kind <> 'sensor' AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
  AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
ORDER BY 2 DESC
LIMIT 20

-- consumption: what the registers counted, by site, in m3
SELECT c.bucket AS time, s.site_name AS site, sum(c.consumption * s.factor) AS consumption
FROM dashboard.consumption(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'volume' AND kind = 'counter'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), $__interval_ms) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- night_flow: the smallest hourly flow between 01:00 and 05:00 local time of each night, in L/h: what leaks runs at night
SELECT (date_trunc('day', h.bucket AT TIME ZONE ${night_zone:sqlstring}) AT TIME ZONE ${night_zone:sqlstring}) AS night,
       s.label AS device, min(h.average * s.factor) AS flow
FROM dashboard.reading_hourly h
JOIN dashboard.series s ON s.id = h.series_id
WHERE h.bucket >= $__timeFrom() AND h.bucket <= $__timeTo()
  AND h.series_id = ANY (ARRAY(
        SELECT id FROM dashboard.series
        WHERE quantity = 'flow' AND device_kind <> 'sensor' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
          AND site = ANY (ARRAY[${site:sqlstring}]::text[])))
  AND extract(hour FROM h.bucket AT TIME ZONE ${night_zone:sqlstring}) BETWEEN 1 AND 4
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC
LIMIT 500

-- level: levels of reservoirs and wells, in m
SELECT r.bucket AS time, s.label AS device, r.average * s.factor AS level
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'length' AND metric LIKE '%level%'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- pressure: pressure by device, in bar
SELECT r.bucket AS time, s.label AS device, r.average * s.factor AS pressure
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'pressure' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- works: what flows into and out of reservoirs and pumps, in m3/h
SELECT r.bucket AS time, s.label AS device, r.average * s.factor / 1000 AS flow
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'flow' AND device_kind = 'sensor'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2
