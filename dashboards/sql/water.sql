-- supplied: what flowed through the inlets of zones, in m3, unless more than one in 20 of them was silent at the end
SELECT CASE WHEN count(*) FILTER (WHERE c.last_at >= least($__timeTo(), now()) - c.patience) >= 0.95 * count(*)
            THEN sum(c.amount) END AS supplied
FROM dashboard.counted(
         ARRAY(SELECT s.id FROM dashboard.site s WHERE {{in_organisations s}} AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])),
         'volume', '{inlet}', $__timeFrom(), $__timeTo()) c

-- loss: what flowed into zones whose customers are all metered and was not counted, as a share
WITH zone AS MATERIALIZED (
    SELECT s.id, s.customers FROM dashboard.site_detail s
    WHERE {{in_organisations s}} AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
)
SELECT 100 * (1 - sum(b.metered) / nullif(sum(b.supplied), 0)) AS share
FROM dashboard.balance(ARRAY(SELECT id FROM zone), 'volume', $__timeFrom(), $__timeTo()) b
JOIN zone z ON z.id = b.site_id AND z.customers <= b.metered_customers
WHERE b.meters > 0 AND b.known

-- lowest_pressure: the lowest newest pressure of any point, in bar
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor FROM dashboard.series s
    WHERE s.quantity = 'pressure' AND {{in_sites s}}
)
SELECT min(r.value * w.factor) AS pressure
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo(), '1 day') r
JOIN wanted w ON w.id = r.series_id

-- balance: of each zone what flowed in, what its meters counted, the rest, and what the rest is worth
WITH zone AS MATERIALIZED (
    SELECT s.id, s.slug, s.name, s.organisation, s.customers, s.currency, s.water_tariff FROM dashboard.site_detail s
    WHERE {{in_organisations s}} AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
)
SELECT z.name AS site_name, z.slug AS site, z.organisation, b.supplied, b.metered, r.rest, 100 * r.rest / nullif(b.supplied, 0) AS share,
       b.metered_customers || ' of ' || coalesce(z.customers::text, '?') AS customers,
       CASE WHEN NOT b.known THEN 'not known'
            WHEN b.metered_customers < z.customers OR z.customers IS NULL THEN 'partly metered'
            WHEN r.rest > 0.1 * b.supplied THEN 'loss' ELSE 'within' END AS judged,
       CASE WHEN b.metered_customers >= z.customers AND z.water_tariff IS NOT NULL
            THEN z.currency || ' ' || to_char(r.rest * z.water_tariff, 'FM999,999,999,999,990') END AS worth
FROM dashboard.balance(ARRAY(SELECT id FROM zone), 'volume', $__timeFrom(), $__timeTo()) b
JOIN zone z ON z.id = b.site_id
CROSS JOIN LATERAL (SELECT CASE WHEN b.known THEN b.supplied - b.metered END AS rest) r
ORDER BY b.metered_customers >= z.customers DESC NULLS LAST, rest DESC NULLS LAST
LIMIT 100

-- zone_flow: what flows into each zone, in m3/h, while all of its inlets are heard
WITH wanted AS MATERIALIZED (
    SELECT z.* FROM (
        SELECT s.id, s.site_name AS zone, s.factor, s.expected_interval, dense_rank() OVER (ORDER BY s.site_name) AS place
        FROM dashboard.series s
        WHERE s.supplies_site AND s.quantity = 'flow' AND s.device_kind = 'meter' AND {{in_sites s}}
    ) z
    WHERE z.place <= 20
), told AS MATERIALIZED (
    SELECT r.bucket, r.series_id, w.zone, r.average * w.factor AS flow
    FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), {{width}}) r
    JOIN wanted w ON w.id = r.series_id
), heard AS MATERIALIZED (
    -- what was heard in the window; what never was before, from its first value on
    SELECT t.series_id, t.zone, CASE WHEN n.series_id IS NULL THEN min(t.bucket) ELSE '-infinity' END AS since
    FROM told t
    LEFT JOIN dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeFrom()) n ON n.series_id = t.series_id
    WHERE t.flow IS NOT NULL
    GROUP BY t.series_id, t.zone, n.series_id
), zone AS (
    SELECT t.bucket, t.zone,
           CASE WHEN count(t.flow) = (SELECT count(*) FROM heard h WHERE h.zone = t.zone AND h.since <= t.bucket)
                THEN sum(t.flow) / 1000 END AS flow
    FROM told t
    GROUP BY t.bucket, t.zone
)
SELECT {{time}} AS time, z.zone, min(z.flow) AS flow
FROM zone z
WHERE {{when}}
GROUP BY 1, 2
ORDER BY 1, 2

-- flow_now: the newest flow of each customer's meter that reported within a day, largest first
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.quantity = 'flow' AND s.device_kind = 'meter' AND NOT s.supplies_site AND {{in_sites s}}
)
SELECT w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation, r.value * w.factor AS flow, r.observed_at
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo(), '1 day') r
JOIN wanted w ON w.id = r.series_id
ORDER BY r.value * w.factor DESC
LIMIT 20

-- pressure: pressure over all points: the lowest twentieth, the middle and the highest twentieth, in bar
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor FROM dashboard.series s
    WHERE s.quantity = 'pressure' AND {{in_sites s}}
)
SELECT r.bucket AS time, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.average * w.factor) AS median,
       percentile_cont(0.05) WITHIN GROUP (ORDER BY r.average * w.factor) AS lowest_5_percent,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY r.average * w.factor) AS highest_5_percent
FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN wanted w ON w.id = r.series_id
WHERE r.average IS NOT NULL
GROUP BY 1
ORDER BY 1

-- pressure_points: each point's pressure in the window, the weakest first, in bar
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.quantity = 'pressure' AND {{in_sites s}}
)
SELECT w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation, p.lowest * w.factor AS lowest,
       p.p05 * w.factor AS p05, p.median * w.factor AS median, p.highest * w.factor AS highest
FROM (
    SELECT r.series_id, min(r.minimum) AS lowest, percentile_cont(0.05) WITHIN GROUP (ORDER BY r.average) AS p05,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY r.average) AS median, max(r.maximum) AS highest
    FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
    WHERE r.average IS NOT NULL
    GROUP BY 1
) p
JOIN wanted w ON w.id = p.series_id
ORDER BY p05
LIMIT 50

-- alerts: alerts of what measures water, those that hold first
SELECT a.severity, a.state, a.opened_at, a.resolved_at, a.rule_title, a.device_name, a.device_id::text AS device, a.summary,
       a.organisation
FROM dashboard.alert a
WHERE a.state IN ('firing', 'resolved')
  AND a.opened_at <= $__timeTo() AND (a.resolved_at IS NULL OR a.resolved_at >= $__timeFrom())
  AND {{in_sites a}}
  AND a.device_id IN (SELECT device_id FROM dashboard.series
                      WHERE quantity IN ('flow', 'volume', 'pressure') OR metric IN ('turbidity', 'free_chlorine'))
ORDER BY a.state = 'firing' DESC, a.severity_rank DESC, a.opened_at DESC, a.id
LIMIT 100
