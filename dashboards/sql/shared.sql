-- by_device: one line for each device, the first twenty by name
WITH wanted AS MATERIALIZED (
    SELECT s.id, CASE WHEN count(*) OVER (PARTITION BY s.device_id) > 1 THEN s.label ELSE s.device_name END AS label, s.factor
    FROM dashboard.series s
    WHERE {{where}} AND {{in_sites s}}
    ORDER BY s.device_name, s.metric LIMIT 20
)
SELECT r.bucket AS time, w.label AS device, r.{{value}} * w.factor AS {{name}}
FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, {{least}})) r
JOIN wanted w ON w.id = r.series_id
ORDER BY 1, 2

-- together: what devices say together, while those are heard that usually have 19 parts of 20
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor * {{scale}} AS factor FROM dashboard.series s
    WHERE {{where}}
), told AS MATERIALIZED (
    SELECT r.bucket, r.series_id, r.average * w.factor AS average, r.minimum * w.factor AS minimum, r.maximum * w.factor AS maximum
    FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, {{least}})) r
    JOIN wanted w ON w.id = r.series_id
), heard AS MATERIALIZED (
    -- what was heard in the window, and what it usually has; what never was before, from its first value on
    SELECT t.series_id, avg(abs(t.average)) AS usual, CASE WHEN n.series_id IS NULL THEN min(t.bucket) ELSE '-infinity' END AS since
    FROM told t
    LEFT JOIN dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeFrom()) n ON n.series_id = t.series_id
    WHERE t.average IS NOT NULL
    GROUP BY t.series_id, n.series_id
), begun AS MATERIALIZED (
    SELECT h.since, sum(h.usual) AS usual FROM heard h GROUP BY 1
), whole AS (
    SELECT t.bucket, sum(t.average) AS average, sum(t.minimum) AS minimum, sum(t.maximum) AS maximum,
           sum(h.usual) FILTER (WHERE t.average IS NOT NULL)
               >= 0.95 * (SELECT sum(b.usual) FROM begun b WHERE b.since <= t.bucket) AS known
    FROM told t
    LEFT JOIN heard h ON h.series_id = t.series_id
    GROUP BY t.bucket
)
SELECT w.bucket AS time, {{shown}}
FROM whole w
LEFT JOIN LATERAL (SELECT w.average, w.minimum, w.maximum WHERE w.known) k ON true
{{ending}}
ORDER BY 1

-- fill: how full each reservoir heard within a day is, in percent of the highest level that its profile allows, emptiest first
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.label, m.maximum FROM dashboard.series s
    JOIN dashboard.metric_range m ON m.profile = s.profile AND m.metric = s.metric AND m.unit = s.unit AND m.maximum > 0
    WHERE s.quantity = 'length' AND s.metric LIKE '%level%' AND {{chosen}}
)
SELECT w.label AS device, 100 * r.value / w.maximum AS fill
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo(), '1 day') r
JOIN wanted w ON w.id = r.series_id
ORDER BY 2
LIMIT {{most}}

-- counted_by_site: what the registers of customers' meters counted, by site
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.site_name, s.factor FROM dashboard.series s
    WHERE {{where}} AND s.kind = 'counter' AND NOT s.supplies_site AND {{in_sites s}}
)
SELECT c.bucket AS time, w.site_name AS site, sum(c.consumption * w.factor) AS consumption
FROM dashboard.consumption(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms * 24, 3600000)) c
JOIN wanted w ON w.id = c.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- counted_most: the customers' meters that counted most
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name, s.factor FROM dashboard.series s
    WHERE {{where}} AND s.kind = 'counter' AND NOT s.supplies_site AND {{in_sites s}}
), counted AS (
    SELECT c.series_id, sum(c.consumption) AS amount
    FROM dashboard.consumption(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), 86400000) c
    GROUP BY 1
)
SELECT w.device_name AS device, sum(c.amount * w.factor) AS consumption
FROM counted c
JOIN wanted w ON w.id = c.series_id
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 12

-- states: devices by state
SELECT w.state, count(d.id) AS devices
FROM unnest(ARRAY['reporting', 'silent', 'offline', 'never heard']) WITH ORDINALITY AS w (state, rank)
LEFT JOIN dashboard.device_state d ON d.state = w.state AND {{chosen}}
GROUP BY w.state, w.rank
ORDER BY w.rank

-- reporting: share of devices that are heard from
SELECT count(*) FILTER (WHERE state = 'reporting') * 100.0 / nullif(count(*), 0) AS share
FROM dashboard.device_state
WHERE {{in_organisations}}

-- held: how many alerts held at a time, by severity
WITH held AS MATERIALIZED (
    SELECT a.severity, a.fired_at, coalesce(a.resolved_at, 'infinity') AS resolved_at FROM dashboard.alert a
    WHERE a.state IN ('firing', 'resolved') AND {{in_organisations a}}
      AND a.fired_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at > $__timeFrom())
)
SELECT g.at AS time, w.severity, count(h.fired_at) AS alerts
FROM generate_series($__timeFrom()::timestamptz, $__timeTo()::timestamptz,
                     make_interval(secs => greatest($__interval_ms, {{least}}) / 1000.0)) AS g (at)
CROSS JOIN unnest(ARRAY[{{severities}}]::text[]) AS w (severity)
LEFT JOIN held h ON h.fired_at <= g.at AND h.resolved_at > g.at AND h.severity = w.severity
GROUP BY 1, 2
ORDER BY 1, 2

-- firing: firing alerts by severity
SELECT w.severity, count(a.id) AS alerts
FROM unnest(ARRAY['critical', 'major', 'minor', 'info']) WITH ORDINALITY AS w (severity, rank)
LEFT JOIN dashboard.alert a
       ON a.severity = w.severity AND a.state = 'firing' AND a.resolved_at IS NULL AND {{in_organisations a}}
      AND a.severity = ANY (ARRAY[{{severities}}]::text[])
GROUP BY w.severity, w.rank
ORDER BY w.rank
