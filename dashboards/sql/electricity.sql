-- power: power by device, in kW
SELECT r.bucket AS time, s.label AS device, r.average * s.factor AS power
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'power' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- power_total: power of all devices together, smallest and largest sum of a bucket beside the average, in kW
SELECT r.bucket AS time, sum(r.average * s.factor) AS average, sum(r.minimum * s.factor) AS minimum,
       sum(r.maximum * s.factor) AS maximum
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'power' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 900000)) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1
ORDER BY 1

-- energy: what the registers counted, by site, in kWh
SELECT c.bucket AS time, s.site_name AS site, sum(c.consumption * s.factor) AS energy
FROM dashboard.consumption(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'energy' AND kind = 'counter'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), $__interval_ms) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- voltage: lowest and highest voltage over all devices, in V
SELECT r.bucket AS time, avg(r.average * s.factor) AS average, min(r.minimum * s.factor) AS minimum,
       max(r.maximum * s.factor) AS maximum
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'voltage' AND metric NOT LIKE '%battery%'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), $__interval_ms) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1
ORDER BY 1

-- largest: devices by the energy that they counted in the window, in kWh
SELECT s.label AS device, sum(c.consumption * s.factor) AS energy
FROM dashboard.consumption(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'energy' AND kind = 'counter'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 15
