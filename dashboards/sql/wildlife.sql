-- last: where each animal was last seen
SELECT f.latitude, f.longitude, d.name, d.id::text AS device, f.observed_at, d.state
FROM dashboard.last_fix f
JOIN dashboard.device_state d ON d.id = f.device_id
WHERE {{in_organisations d}} AND d.id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
ORDER BY f.observed_at

-- alerted: where the devices of firing alerts are: animals, energisers, gates
SELECT s.latitude, s.longitude, s.name, a.severity, a.summary, a.opened_at
FROM dashboard.alert a
JOIN dashboard.device_state s ON s.id = a.device_id
WHERE a.state = 'firing' AND a.resolved_at IS NULL AND s.latitude IS NOT NULL AND {{in_organisations a}}
  AND a.organisation IN (SELECT organisation FROM dashboard.device WHERE id::text = ANY (ARRAY[${tracker:sqlstring}]::text[]))
ORDER BY a.severity_rank, a.opened_at
LIMIT 200

-- outlines: fences, borders, rivers and waterholes of the organisations, as points along them
SELECT o.latitude, o.longitude, o.name, o.kind
FROM dashboard.site_outline o
WHERE {{in_organisations o}}
  AND o.organisation IN (SELECT organisation FROM dashboard.device WHERE id::text = ANY (ARRAY[${tracker:sqlstring}]::text[]))
ORDER BY o.site_id, o.ring, o.place
LIMIT 5000

-- track: the way of one of the animals chosen, in the order of their names, thinned to the picture
SELECT min(t.observed_at) AS time, (array_agg(t.latitude ORDER BY t.observed_at))[1] AS latitude,
       (array_agg(t.longitude ORDER BY t.observed_at))[1] AS longitude, d.name
FROM dashboard.track(ARRAY(
        SELECT id FROM dashboard.device
        WHERE {{in_organisations}}
          AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
        ORDER BY name OFFSET 0 LIMIT 1),
         $__timeFrom(), $__timeTo()) t
JOIN dashboard.device d ON d.id = t.device_id
GROUP BY d.name, dashboard.bucket(t.observed_at, greatest($__interval_ms, 1000), $__timeFrom())
ORDER BY 1

-- movement: what each animal does, the first 24 by name, in stretches of two hours or more: 0 no fix, 1 resting, 2 walking, 3 running
WITH chosen AS (
    SELECT id, name FROM dashboard.device
    WHERE {{in_organisations}} AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
    ORDER BY name LIMIT 24
), step AS (
    SELECT t.device_id, dashboard.bucket(t.observed_at, greatest($__interval_ms, 7200000), $__timeFrom()) AS time,
           t.metres / nullif(t.seconds, 0) AS speed
    FROM dashboard.track(ARRAY(SELECT id FROM chosen), $__timeFrom(), $__timeTo()) t
), grid AS (
    SELECT dashboard.bucket(g.at, greatest($__interval_ms, 7200000), $__timeFrom()) AS time
    -- from the beginning of the stretch that the window begins in: else the last one is left out where it is shorter
    FROM generate_series(dashboard.bucket($__timeFrom(), greatest($__interval_ms, 7200000), '-infinity'), $__timeTo()::timestamptz,
                         make_interval(secs => greatest($__interval_ms, 7200000) / 1000.0)) AS g (at)
)
SELECT g.time, c.name AS animal,
       CASE WHEN count(s.speed) = 0 THEN 0
            -- 100 m in an hour: feeding on the spot and the errors of fixes; 1.5 m/s is faster than walking
            WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY s.speed) < 100 / 3600.0 THEN 1
            WHEN max(s.speed) < 1.5 THEN 2 ELSE 3 END AS state
FROM grid g
CROSS JOIN chosen c
LEFT JOIN step s ON s.device_id = c.id AND s.time = g.time
GROUP BY 1, 2
ORDER BY 1, 2

-- distance: kilometres of each day (great circle between fixes) by animal, the first 12 by name: what it walked at least
SELECT greatest(date_trunc('day', t.observed_at, 'UTC'), $__timeFrom()) AS time, d.name AS animal, sum(t.metres) / 1000 AS kilometres
FROM dashboard.track(ARRAY(
        SELECT id FROM dashboard.device
        WHERE {{in_organisations}}
          AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
        ORDER BY name LIMIT 12),
         $__timeFrom(), $__timeTo()) t
JOIN dashboard.device d ON d.id = t.device_id
GROUP BY 1, 2
ORDER BY 1, 2

-- animals: each animal, when its tracker last knew where it was, what it did, and how much charge is left
WITH chosen AS (
    SELECT * FROM dashboard.device_state
    WHERE {{in_organisations}} AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
    ORDER BY name LIMIT 200
), day AS (
    SELECT t.device_id, count(*) AS fixes, sum(t.metres) / 1000 AS walked,
           100 * sum(t.seconds) FILTER (WHERE t.metres / nullif(t.seconds, 0) < 100 / 3600.0) / nullif(sum(t.seconds), 0) AS rested
    FROM dashboard.track(ARRAY(SELECT id FROM chosen), $__timeTo()::timestamptz - interval '1 day', $__timeTo()) t
    GROUP BY 1
), cell AS MATERIALIZED (
    SELECT s.id, s.device_id FROM dashboard.series s
    WHERE s.metric LIKE '%batt%' AND s.unit = '%' AND s.device_id = ANY (ARRAY(SELECT id FROM chosen))
), charge AS (
    SELECT e.device_id, min(r.value) AS value
    FROM dashboard.newest(ARRAY(SELECT id FROM cell), $__timeTo()) r
    JOIN cell e ON e.id = r.series_id
    GROUP BY 1
)
SELECT c.name, c.id::text AS device, c.site, c.organisation, coalesce(e.species, '') AS species, c.state, l.observed_at AS last_fix,
       w.fixes, w.walked, w.rested, b.value AS battery,
       (SELECT count(*) FROM dashboard.alert a WHERE a.device_id = c.id AND a.state = 'firing' AND a.resolved_at IS NULL) AS firing
FROM chosen c
LEFT JOIN dashboard.last_fix l ON l.device_id = c.id
LEFT JOIN day w ON w.device_id = c.id
LEFT JOIN LATERAL (
    SELECT coalesce(nullif(x.common_name, ''), x.species) AS species FROM dashboard.deployment x
    WHERE x.device_id = c.id AND coalesce(x.since, '-infinity') <= $__timeTo() AND coalesce(x.until, 'infinity') > $__timeFrom()
    ORDER BY x.since DESC NULLS LAST LIMIT 1
) e ON true
LEFT JOIN charge b ON b.device_id = c.id
ORDER BY firing DESC, l.observed_at NULLS FIRST, c.name

-- battery: charge of the trackers, the eight lowest now
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name FROM dashboard.series s
    WHERE s.metric LIKE '%batt%' AND s.unit = '%' AND s.device_kind = 'tracker' AND {{in_organisations s}}
      AND s.device_id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])
)
SELECT r.bucket AS time, w.device_name AS animal, r.average AS battery
FROM dashboard.readings(
         ARRAY(SELECT n.series_id FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo()) n ORDER BY n.value LIMIT 8),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
JOIN wanted w ON w.id = r.series_id
ORDER BY 1, 2

-- fence: voltage of electric fences by energiser, the lowest of each bucket, in kV
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name, s.factor FROM dashboard.series s
    WHERE s.metric = 'fence_voltage' AND {{in_organisations s}}
      AND s.organisation IN (SELECT organisation FROM dashboard.device WHERE id::text = ANY (ARRAY[${tracker:sqlstring}]::text[]))
    ORDER BY s.device_name LIMIT 20
)
SELECT r.bucket AS time, w.device_name AS energiser, r.minimum * w.factor / 1000 AS voltage
FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN wanted w ON w.id = r.series_id
ORDER BY 1, 2

-- seen: what camera traps told, by species and day
SELECT dashboard.bucket(e.observed_at, greatest($__interval_ms, 86400000), $__timeFrom()) AS time,
       coalesce(e.attributes ->> 'species', 'not named') AS species,
       sum(CASE WHEN e.attributes ->> 'count' ~ '^[0-9]{1,4}$' THEN (e.attributes ->> 'count')::integer ELSE 1 END) AS animals
FROM dashboard.event e
JOIN dashboard.device d ON d.id = e.device_id
WHERE $__timeFilter(e.observed_at) AND e.kind = 'detection' AND {{in_organisations d}}
  AND d.organisation IN (SELECT organisation FROM dashboard.device WHERE id::text = ANY (ARRAY[${tracker:sqlstring}]::text[]))
GROUP BY 1, 2
ORDER BY 1, 2

-- delay: seconds from fix to arrival, the median and the longest: an old fix is no news
SELECT dashboard.bucket(p.observed_at, greatest($__interval_ms, 3600000), $__timeFrom()) AS time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.received_at - p.observed_at)) AS median,
       max(extract(epoch FROM p.received_at - p.observed_at))::double precision AS longest
FROM dashboard.position p
WHERE $__timeFilter(p.observed_at)
  AND p.device_id = ANY (ARRAY(
        SELECT id FROM dashboard.device
        WHERE {{in_organisations}}
          AND id::text = ANY (ARRAY[${tracker:sqlstring}]::text[])))
GROUP BY 1
ORDER BY 1

-- alerts: alerts of the reserve in the window, those that hold first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.device_name, a.device_id::text AS device, a.summary,
       a.organisation
FROM dashboard.alert a
WHERE a.state IN ('firing', 'resolved')
  AND a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom())
  AND {{in_organisations a}}
  AND a.organisation IN (SELECT organisation FROM dashboard.device WHERE id::text = ANY (ARRAY[${tracker:sqlstring}]::text[]))
ORDER BY a.state = 'firing' DESC, a.severity_rank DESC, a.opened_at DESC, a.id
LIMIT 200
