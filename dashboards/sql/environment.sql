-- now: the newest value of each parameter of sondes and stations, and whether a rule alarms on it
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name, s.device_id, s.site_name, s.site, s.organisation, s.metric, s.unit, s.expected_interval
    FROM dashboard.series s
    WHERE s.metric IN ('turbidity', 'free_chlorine', 'ph', 'conductivity', 'dissolved_oxygen', 'temperature', 'humidity',
                       'wind_speed', 'rain', 'rain_rate', 'air_pressure', 'pm2_5', 'pm10', 'no2', 'co2', 'soil_moisture')
      AND s.device_kind = 'sensor' AND {{in_sites s}}
)
SELECT CASE WHEN w.id IN (SELECT a.series_id FROM dashboard.alert a WHERE a.state = 'firing' AND a.resolved_at IS NULL) THEN 'alarmed'
            WHEN r.observed_at < $__timeTo()::timestamptz - coalesce(3 * w.expected_interval, interval '1 day') THEN 'old'
            ELSE 'quiet' END AS condition,
       w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation, replace(w.metric, '_', ' ') AS metric, r.value, w.unit,
       r.observed_at
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo()) r
JOIN wanted w ON w.id = r.series_id
ORDER BY condition, w.device_name, w.metric
LIMIT 200

-- map: stations and sondes, those with an alarm last so that they are drawn on top
SELECT m.latitude, m.longitude, m.name, m.device, m.condition
FROM (
    SELECT d.latitude, d.longitude, d.name, d.id::text AS device,
           CASE WHEN d.id IN (SELECT a.device_id FROM dashboard.alert a WHERE a.state = 'firing' AND a.resolved_at IS NULL) THEN 'alarmed'
                WHEN d.state <> 'reporting' THEN 'old' ELSE 'quiet' END AS condition
    FROM dashboard.device_state d
    WHERE d.latitude IS NOT NULL
      AND d.id = ANY (ARRAY(SELECT s.device_id FROM dashboard.series s
                            WHERE s.device_kind = 'sensor' AND {{in_sites s}}
                              AND s.metric IN ('turbidity', 'free_chlorine', 'ph', 'temperature', 'wind_speed', 'pm2_5')))
      AND {{in_sites d}}
) m
ORDER BY array_position(ARRAY['quiet', 'old', 'alarmed'], m.condition)
LIMIT 1000

-- rain: rain of each hour, or of each bucket in long ranges, by station, in mm: the increase of the gauge, which may begin anew
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name FROM dashboard.series s
    WHERE s.metric = 'rain' AND {{in_sites s}}
    ORDER BY s.device_name LIMIT 20
)
SELECT greatest(date_bin(make_interval(secs => greatest($__interval_ms * 6, 3600000) / 1000.0), g.bucket, '2000-01-01T00:00:00Z'),
                $__timeFrom()) AS time,
       w.device_name AS device,
       sum(CASE WHEN g.last >= g.before THEN g.last - g.before ELSE g.last END) AS rain
FROM (
    SELECT h.bucket, h.series_id, h.last, lag(h.last) OVER (PARTITION BY h.series_id ORDER BY h.bucket) AS before
    FROM dashboard.reading_hourly h
    WHERE h.bucket >= $__timeFrom()::timestamptz - interval '3 hours' AND h.bucket <= $__timeTo()
      AND h.series_id = ANY (ARRAY(SELECT id FROM wanted))
) g
JOIN wanted w ON w.id = g.series_id
WHERE g.before IS NOT NULL AND g.bucket >= $__timeFrom()
GROUP BY 1, 2
ORDER BY 1, 2

-- rain_day: rain of the last day, three days and week of the window by station, in mm
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.metric = 'rain' AND {{in_sites s}}
)
SELECT w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation,
       sum(g.amount) FILTER (WHERE g.bucket >= $__timeTo()::timestamptz - interval '1 day') AS day,
       sum(g.amount) FILTER (WHERE g.bucket >= $__timeTo()::timestamptz - interval '3 days') AS three_days,
       sum(g.amount) AS week, max(g.amount) AS heaviest
FROM (
    SELECT f.bucket, f.series_id, CASE WHEN f.last >= f.before THEN f.last - f.before ELSE f.last END AS amount
    FROM (
        SELECT h.bucket, h.series_id, h.last, lag(h.last) OVER (PARTITION BY h.series_id ORDER BY h.bucket) AS before
        FROM dashboard.reading_hourly h
        WHERE h.bucket >= $__timeTo()::timestamptz - interval '7 days 3 hours' AND h.bucket <= $__timeTo()
          AND h.series_id = ANY (ARRAY(SELECT id FROM wanted))
    ) f
    WHERE f.before IS NOT NULL
) g
JOIN wanted w ON w.id = g.series_id
GROUP BY 1, 2, 3, 4, 5
ORDER BY day DESC NULLS LAST, w.device_name
LIMIT 50

-- fire: Angstroem's index by station, humidity / 20 + (27 - temperature) / 10: the lower, the easier fires start
WITH station AS MATERIALIZED (
    SELECT s.device_id, s.device_name, max(s.id) FILTER (WHERE s.metric = 'temperature') AS temperature,
           max(s.id) FILTER (WHERE s.metric = 'humidity') AS humidity
    FROM dashboard.series s
    WHERE s.metric IN ('temperature', 'humidity', 'wind_speed') AND {{in_sites s}}
    GROUP BY 1, 2
    HAVING count(DISTINCT s.metric) = 3
    ORDER BY 2 LIMIT 20
), said AS MATERIALIZED (
    SELECT r.bucket, r.series_id, r.average
    FROM dashboard.readings(ARRAY(SELECT unnest(ARRAY[temperature, humidity]) FROM station), $__timeFrom(), $__timeTo(),
                            greatest($__interval_ms, 3600000)) r
)
SELECT t.bucket AS time, s.device_name AS device, h.average / 20 + (27 - t.average) / 10 AS index
FROM station s
JOIN said t ON t.series_id = s.temperature
JOIN said h ON h.series_id = s.humidity AND h.bucket = t.bucket
ORDER BY 1, 2

-- fire_now: by station the newest temperature, humidity and wind, and how easily fires start
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.metric, s.factor, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.metric IN ('temperature', 'humidity', 'wind_speed')
      AND s.device_id = ANY (ARRAY(SELECT x.device_id FROM dashboard.series x WHERE x.metric = 'wind_speed' AND {{in_sites x}}))
)
SELECT f.device_name, f.device, f.site_name, f.site, f.organisation, f.temperature, f.humidity, f.wind, f.index,
       CASE WHEN f.index < 2 THEN 'very high' WHEN f.index < 2.5 THEN 'high' WHEN f.index < 4 THEN 'moderate' ELSE 'low' END AS danger
FROM (
    SELECT w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation,
           max(r.value) FILTER (WHERE w.metric = 'temperature') AS temperature,
           max(r.value) FILTER (WHERE w.metric = 'humidity') AS humidity,
           max(r.value * w.factor) FILTER (WHERE w.metric = 'wind_speed') AS wind,
           max(r.value) FILTER (WHERE w.metric = 'humidity') / 20
               + (27 - max(r.value) FILTER (WHERE w.metric = 'temperature')) / 10 AS index
    FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo()) r
    JOIN wanted w ON w.id = r.series_id
    GROUP BY 1, 2, 3, 4, 5
) f
WHERE f.index IS NOT NULL AND f.wind IS NOT NULL
ORDER BY f.index, f.device_name
LIMIT 50
