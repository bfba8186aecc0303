-- supplied: what flowed through the inlets of zones, in m3
SELECT sum(c.consumption * p.factor) AS supplied
FROM dashboard.supply p
JOIN dashboard.site s ON s.id = p.site_id
JOIN dashboard.consumption(
         ARRAY(SELECT series_id FROM dashboard.supply WHERE part = 'inlet' AND quantity = 'volume'),
         $__timeFrom(), $__timeTo(), 86400000) c ON c.series_id = p.series_id
WHERE p.part = 'inlet' AND p.quantity = 'volume'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])

-- loss: what flowed into zones whose customers are all metered and was not counted, as a share
WITH zone AS (
    SELECT s.id, s.customers FROM dashboard.site_detail s
    WHERE s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
      AND EXISTS (SELECT FROM dashboard.supply p
                  WHERE p.site_id = s.id AND p.part = 'inlet' AND p.quantity = 'volume')
      AND s.customers <= (SELECT sum(m.customers) FROM (SELECT DISTINCT p.device_id, p.customers FROM dashboard.supply p
                          WHERE p.site_id = s.id AND p.part = 'meter' AND p.quantity = 'volume') m)
), counted AS (
    SELECT p.part, c.consumption * p.factor AS amount
    FROM zone z
    JOIN dashboard.supply p ON p.site_id = z.id AND p.quantity = 'volume'
    JOIN dashboard.consumption(
             ARRAY(SELECT p.series_id FROM zone z JOIN dashboard.supply p ON p.site_id = z.id AND p.quantity = 'volume'),
             $__timeFrom(), $__timeTo(), 86400000) c ON c.series_id = p.series_id
)
SELECT 100 * (1 - coalesce(sum(amount) FILTER (WHERE part = 'meter'), 0)
                  / nullif(sum(amount) FILTER (WHERE part = 'inlet'), 0)) AS share
FROM counted

-- fill: how full the emptiest reservoir is, in percent of the highest level that its profile allows
SELECT min(100 * r.value * s.factor / (m.maximum * s.factor)) AS fill
FROM dashboard.series s
JOIN dashboard.metric_range m ON m.profile = s.profile AND m.metric = s.metric AND m.unit = s.unit AND m.maximum > 0
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'length' AND s.metric LIKE '%level%'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- lowest_pressure: the lowest newest pressure of any point, in bar
SELECT min(r.value * s.factor) AS pressure
FROM dashboard.series s
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND observed_at > $__timeTo()::timestamptz - interval '1 day'
      AND quality & 4 = 0
    ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'pressure'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- balance: of each zone what flowed in, what its meters counted, the rest, and what the rest is worth
WITH zone AS (
    SELECT s.id, s.slug, s.name, s.organisation, s.customers, s.currency, s.water_tariff
    FROM dashboard.site_detail s
    WHERE s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
      AND EXISTS (SELECT FROM dashboard.supply p
                  WHERE p.site_id = s.id AND p.part = 'inlet' AND p.quantity = 'volume')
), part AS (
    SELECT p.* FROM zone z JOIN dashboard.supply p ON p.site_id = z.id AND p.quantity = 'volume'
), counted AS (
    SELECT c.series_id, sum(c.consumption) AS amount
    FROM dashboard.consumption(ARRAY(SELECT DISTINCT series_id FROM part), $__timeFrom(), $__timeTo(), 86400000) c
    GROUP BY 1
), total AS (
    SELECT p.site_id, sum(c.amount * p.factor) FILTER (WHERE p.part = 'inlet') AS supplied,
           coalesce(sum(c.amount * p.factor) FILTER (WHERE p.part = 'meter'), 0) AS metered,
           (SELECT coalesce(sum(m.customers), 0) FROM (SELECT DISTINCT device_id, customers FROM part x
                                                       WHERE x.site_id = p.site_id AND x.part = 'meter') m) AS metered_customers
    FROM part p
    LEFT JOIN counted c ON c.series_id = p.series_id
    GROUP BY p.site_id
)
SELECT z.name AS site_name, z.slug AS site, z.organisation, t.supplied, t.metered, t.supplied - t.metered AS rest,
       100 * (t.supplied - t.metered) / nullif(t.supplied, 0) AS share,
       t.metered_customers || ' of ' || coalesce(z.customers::text, '?') AS customers,
       CASE WHEN t.metered_customers < z.customers OR z.customers IS NULL THEN 'partly metered'
            WHEN t.supplied - t.metered > 0.1 * t.supplied THEN 'loss' ELSE 'within' END AS judged,
       CASE WHEN t.metered_customers >= z.customers AND z.water_tariff IS NOT NULL
            THEN z.currency || ' ' || to_char((t.supplied - t.metered) * z.water_tariff, 'FM999,999,990') END AS worth
FROM total t
JOIN zone z ON z.id = t.site_id
ORDER BY t.metered_customers >= z.customers DESC NULLS LAST, rest DESC NULLS LAST
LIMIT 100

-- inflow: what flows into each zone, in m3/h
SELECT r.bucket AS time, s.site_name AS zone, sum(r.average * s.factor) / 1000 AS flow
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
               WHERE s.quantity = 'flow' AND s.device_kind = 'meter'
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY s.site_name, s.device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 900000)) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- night_flow: the smallest hourly inflow of each zone between 01:00 and 05:00 local time of each night, in m3/h
SELECT greatest(date_trunc('day', h.at AT TIME ZONE ${night_zone:sqlstring}) AT TIME ZONE ${night_zone:sqlstring},
                $__timeFrom()) AS time,
       h.zone, min(h.flow) AS flow
FROM (
    SELECT r.bucket AS at, s.site_name AS zone, sum(r.average * s.factor) / 1000 AS flow
    FROM dashboard.readings(
             ARRAY(SELECT s.id
                   FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
                   WHERE s.quantity = 'flow' AND s.device_kind = 'meter'
                     AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                     AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
                   ORDER BY s.site_name, s.device_name LIMIT 20),
             $__timeFrom(), $__timeTo(), 3600000) r
    JOIN dashboard.series s ON s.id = r.series_id
    WHERE r.average IS NOT NULL
    GROUP BY 1, 2
) h
WHERE extract(hour FROM h.at AT TIME ZONE ${night_zone:sqlstring}) BETWEEN 1 AND 4
GROUP BY 1, 2
ORDER BY 1, 2

-- consumption: what the meters of customers counted, by site, in m3
SELECT c.bucket AS time, s.site_name AS site, sum(c.consumption * s.factor) AS consumption
FROM dashboard.consumption(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id
               WHERE s.quantity = 'volume' AND s.kind = 'counter' AND NOT d.supplies_site
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms * 24, 3600000)) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- largest: the meters that counted most, in m3
SELECT s.label AS device, sum(c.consumption * s.factor) AS consumption
FROM dashboard.consumption(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id
               WHERE s.quantity = 'volume' AND s.kind = 'counter' AND NOT d.supplies_site
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 86400000)) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 12

-- flow_now: the newest flow of each customer's meter that reported within a day, largest first
SELECT s.label AS device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation, r.value * s.factor AS flow,
       r.observed_at
FROM dashboard.series s
JOIN dashboard.device_detail d ON d.id = s.device_id AND NOT d.supplies_site
JOIN LATERAL (
    SELECT value, observed_at FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND observed_at > $__timeTo()::timestamptz - interval '1 day'
      AND quality & 4 = 0
    ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'flow' AND s.device_kind = 'meter'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
ORDER BY r.value * s.factor DESC
LIMIT 20

-- pressure: pressure over all points: the lowest twentieth, the middle and the highest twentieth, in bar
SELECT r.bucket AS time, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.average * s.factor) AS median,
       percentile_cont(0.05) WITHIN GROUP (ORDER BY r.average * s.factor) AS lowest_5_percent,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY r.average * s.factor) AS highest_5_percent
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'pressure' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
WHERE r.average IS NOT NULL
GROUP BY 1
ORDER BY 1

-- pressure_points: each point's pressure in the window, the weakest first, in bar
SELECT s.label AS device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation,
       min(r.minimum * s.factor) AS lowest,
       percentile_cont(0.05) WITHIN GROUP (ORDER BY r.average * s.factor) AS p05,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY r.average * s.factor) AS median,
       max(r.maximum * s.factor) AS highest
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'pressure' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
WHERE r.average IS NOT NULL
GROUP BY s.id, s.label, s.device_id, s.site_name, s.site, s.organisation
ORDER BY p05
LIMIT 50

-- levels_now: how full each reservoir is, in percent of the highest level that its profile allows
SELECT s.label AS device, 100 * r.value / m.maximum AS fill
FROM dashboard.series s
JOIN dashboard.metric_range m ON m.profile = s.profile AND m.metric = s.metric AND m.unit = s.unit AND m.maximum > 0
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'length' AND s.metric LIKE '%level%'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
ORDER BY 2
LIMIT 20

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

-- works: what flows into and out of reservoirs and pumps, in m3/h
SELECT r.bucket AS time, s.label AS device, r.average * s.factor / 1000 AS flow
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'flow' AND device_kind = 'sensor'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY device_name, metric LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- alerts: alerts of what measures water, those that hold first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.device_name, a.device_id::text AS device, a.summary,
       a.organisation
FROM dashboard.alert a
WHERE a.state IN ('firing', 'resolved')
  AND a.opened_at <= $__timeTo() AND coalesce(a.resolved_at, now()) >= $__timeFrom()
  AND a.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND a.site = ANY (ARRAY[${site:sqlstring}]::text[])
  AND a.device_id IN (SELECT device_id FROM dashboard.series
                      WHERE quantity IN ('flow', 'volume', 'pressure') OR metric IN ('turbidity', 'free_chlorine'))
ORDER BY a.state = 'firing' DESC, a.severity_rank DESC, a.opened_at DESC
LIMIT 100
