-- now: the newest value of each parameter of sondes and stations, and whether a rule alarms on it
SELECT CASE WHEN EXISTS (SELECT FROM dashboard.alert a WHERE a.series_id = s.id AND a.state = 'firing') THEN 'alarmed'
            WHEN r.observed_at < $__timeTo()::timestamptz - coalesce(3 * s.expected_interval, interval '1 day') THEN 'old'
            ELSE 'quiet' END AS condition,
       s.device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation, s.metric, r.value, s.unit, r.observed_at
FROM dashboard.series s
JOIN LATERAL (
    SELECT value, observed_at FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.metric IN ('turbidity', 'free_chlorine', 'ph', 'conductivity', 'dissolved_oxygen', 'temperature', 'humidity',
                   'wind_speed', 'rain', 'rain_rate', 'air_pressure', 'pm2_5', 'pm10', 'no2', 'co2', 'soil_moisture')
  AND s.device_kind = 'sensor'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
ORDER BY condition, s.device_name, s.metric
LIMIT 200

-- map: stations and sondes, those with an alarm last so that they are drawn on top
SELECT m.latitude, m.longitude, m.name, m.device, m.condition
FROM (
    SELECT d.latitude, d.longitude, d.name, d.id::text AS device,
           CASE WHEN EXISTS (SELECT FROM dashboard.alert a WHERE a.device_id = d.id AND a.state = 'firing') THEN 'alarmed'
                WHEN d.state <> 'reporting' THEN 'old' ELSE 'quiet' END AS condition
    FROM dashboard.device_state d
    WHERE d.latitude IS NOT NULL
      AND d.id = ANY (ARRAY(SELECT device_id FROM dashboard.series
                            WHERE device_kind = 'sensor'
                              AND metric IN ('turbidity', 'free_chlorine', 'ph', 'temperature', 'wind_speed', 'pm2_5')))
      AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])
) m
ORDER BY array_position(ARRAY['quiet', 'old', 'alarmed'], m.condition)
LIMIT 1000

-- turbidity: turbidity of water by sonde, in FNU
SELECT r.bucket AS time, s.device_name AS device, r.maximum AS turbidity
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'turbidity' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- chlorine: free chlorine in water by sonde, in mg/L
SELECT r.bucket AS time, s.device_name AS device, r.average * s.factor AS chlorine
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'free_chlorine' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- ph: acidity of water by sonde
SELECT r.bucket AS time, s.device_name AS device, r.average AS ph
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'ph' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- conductivity: electrical conductivity of water by sonde, in mS/cm
SELECT r.bucket AS time, s.device_name AS device, r.average * s.factor AS conductivity
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'conductivity' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- oxygen: dissolved oxygen by sonde, in mg/L
SELECT r.bucket AS time, s.device_name AS device, r.average * s.factor AS oxygen
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'dissolved_oxygen' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- temperature: air temperature by weather station, the highest of each bucket, in degrees Celsius
SELECT r.bucket AS time, s.device_name AS device, r.maximum AS temperature
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s
               WHERE s.metric = 'temperature' AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
                 AND s.device_id IN (SELECT device_id FROM dashboard.series WHERE metric IN ('wind_speed', 'humidity'))
               ORDER BY s.device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- rain: rain of each hour, or of each bucket in long ranges, by station, in mm: the increase of the gauge, which may begin anew
SELECT greatest(date_bin(make_interval(secs => greatest($__interval_ms * 6, 3600000) / 1000.0), g.bucket, '2000-01-01T00:00:00Z'),
                $__timeFrom()) AS time,
       s.device_name AS device,
       sum(CASE WHEN g.last >= g.before THEN g.last - g.before ELSE g.last END) AS rain
FROM (
    SELECT h.bucket, h.series_id, h.last, lag(h.last) OVER (PARTITION BY h.series_id ORDER BY h.bucket) AS before
    FROM dashboard.reading_hourly h
    WHERE h.bucket >= $__timeFrom()::timestamptz - interval '3 hours' AND h.bucket <= $__timeTo()
      AND h.series_id = ANY (ARRAY(
            SELECT id FROM dashboard.series
            WHERE metric = 'rain' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
              AND site = ANY (ARRAY[${site:sqlstring}]::text[])
            ORDER BY device_name LIMIT 20))
) g
JOIN dashboard.series s ON s.id = g.series_id
WHERE g.before IS NOT NULL AND g.bucket >= $__timeFrom()
GROUP BY 1, 2
ORDER BY 1, 2

-- rain_day: rain of the last day, three days and week of the window by station, in mm
SELECT s.device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation,
       sum(g.amount) FILTER (WHERE g.bucket >= $__timeTo()::timestamptz - interval '1 day') AS day,
       sum(g.amount) FILTER (WHERE g.bucket >= $__timeTo()::timestamptz - interval '3 days') AS three_days,
       sum(g.amount) AS week, max(g.amount) AS heaviest
FROM (
    SELECT f.bucket, f.series_id, CASE WHEN f.last >= f.before THEN f.last - f.before ELSE f.last END AS amount
    FROM (
        SELECT h.bucket, h.series_id, h.last, lag(h.last) OVER (PARTITION BY h.series_id ORDER BY h.bucket) AS before
        FROM dashboard.reading_hourly h
        WHERE h.bucket >= $__timeTo()::timestamptz - interval '7 days 3 hours' AND h.bucket <= $__timeTo()
          AND h.series_id = ANY (ARRAY(
                SELECT id FROM dashboard.series
                WHERE metric = 'rain' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                  AND site = ANY (ARRAY[${site:sqlstring}]::text[])))
    ) f
    WHERE f.before IS NOT NULL
) g
JOIN dashboard.series s ON s.id = g.series_id
GROUP BY 1, 2, 3, 4, 5
ORDER BY day DESC NULLS LAST, s.device_name
LIMIT 50

-- wind: wind by station, the strongest of each bucket, in m/s
SELECT r.bucket AS time, s.device_name AS device, r.maximum * s.factor AS wind
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'wind_speed' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- fire: Angstroem's index by station, humidity / 20 + (27 - temperature) / 10: the lower, the easier fires start
SELECT t.time, t.device, h.average / 20 + (27 - t.average) / 10 AS index
FROM (
    SELECT r.bucket AS time, s.device_id, s.device_name AS device, r.average
    FROM dashboard.readings(
             ARRAY(SELECT s.id FROM dashboard.series s
                   WHERE s.metric = 'temperature' AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                     AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
                     AND s.device_id IN (SELECT device_id FROM dashboard.series WHERE metric = 'humidity')
                     AND s.device_id IN (SELECT device_id FROM dashboard.series WHERE metric = 'wind_speed')
                   ORDER BY s.device_name LIMIT 20),
             $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
    JOIN dashboard.series s ON s.id = r.series_id
) t
JOIN (
    SELECT r.bucket AS time, s.device_id, r.average
    FROM dashboard.readings(
             ARRAY(SELECT id FROM dashboard.series
                   WHERE metric = 'humidity' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                     AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
             $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
    JOIN dashboard.series s ON s.id = r.series_id
) h ON h.device_id = t.device_id AND h.time = t.time
ORDER BY 1, 2

-- fire_now: by station the newest temperature, humidity and wind, and how easily fires start
SELECT f.device_name, f.device, f.site_name, f.site, f.organisation, f.temperature, f.humidity, f.wind, f.index,
       CASE WHEN f.index < 2 THEN 'very high' WHEN f.index < 2.5 THEN 'high' WHEN f.index < 4 THEN 'moderate' ELSE 'low' END AS danger
FROM (
    SELECT d.name AS device_name, d.id::text AS device, d.site_name, d.site, d.organisation,
           max(r.value) FILTER (WHERE s.metric = 'temperature') AS temperature,
           max(r.value) FILTER (WHERE s.metric = 'humidity') AS humidity,
           max(r.value * s.factor) FILTER (WHERE s.metric = 'wind_speed') AS wind,
           max(r.value) FILTER (WHERE s.metric = 'humidity') / 20
               + (27 - max(r.value) FILTER (WHERE s.metric = 'temperature')) / 10 AS index
    FROM dashboard.device d
    JOIN dashboard.series s ON s.device_id = d.id AND s.metric IN ('temperature', 'humidity', 'wind_speed')
    JOIN LATERAL (
        SELECT value FROM dashboard.reading
        WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
    ) r ON true
    WHERE d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])
    GROUP BY 1, 2, 3, 4, 5
) f
WHERE f.index IS NOT NULL AND f.wind IS NOT NULL
ORDER BY f.index
LIMIT 50

-- dust: fine dust by sensor, in micrograms per cubic metre
SELECT r.bucket AS time, s.device_name AS device, r.average AS dust
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE metric = 'pm2_5' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2
