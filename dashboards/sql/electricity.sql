-- load_now: what flows through feeders and transformers' outgoing meters now, in kW: their newest powers together
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor FROM dashboard.series s
    WHERE s.supplies_site AND s.quantity = 'power' AND s.metric = 'power' AND {{in_sites s}}
)
SELECT sum(r.value * w.factor) AS load
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo(), '1 day') r
JOIN wanted w ON w.id = r.series_id

-- without_supply: customers of the incidents that are open and concern electricity
SELECT coalesce(sum(i.impact_customers), 0)::bigint AS customers
FROM dashboard.incident i
WHERE i.state = 'open' AND i.resolved_at IS NULL AND i.impact_customers > 0
  AND {{in_sites i}}
  AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
       OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))

-- reliability: minutes without supply for each customer with a meter (SAIDI) and interruptions (SAIFI), of outages above 5 minutes
SELECT w.name, CASE w.name WHEN 'SAIDI, minutes' THEN f.minutes ELSE f.interruptions END / c.customers AS value
FROM unnest(ARRAY['SAIDI, minutes', 'SAIFI']) WITH ORDINALITY AS w (name, rank)
CROSS JOIN (
    -- unknown where no customer has a meter
    SELECT nullif(sum(m.customers), 0) AS customers
    FROM (SELECT DISTINCT p.device_id, p.customers FROM dashboard.supply p
          JOIN dashboard.device d ON d.id = p.device_id
          WHERE p.part = 'meter' AND p.quantity = 'energy'
            AND {{in_sites d}}) m
) c
CROSS JOIN (
    -- none is nothing interrupted
    SELECT coalesce(sum(i.impact_customers * extract(epoch FROM least(coalesce(i.cause_resolved_at, now()), $__timeTo())
                                                                 - greatest(i.cause_opened_at, $__timeFrom())) / 60), 0) AS minutes,
           coalesce(sum(i.impact_customers), 0)::double precision AS interruptions
    FROM dashboard.incident i
    -- an incident is over when the last of its alerts is, and so not before its cause
    WHERE i.impact_customers > 0 AND (i.resolved_at IS NULL OR i.resolved_at >= $__timeFrom()) AND i.cause_opened_at <= $__timeTo()
      AND (i.cause_resolved_at IS NULL OR i.cause_resolved_at >= $__timeFrom())
      AND coalesce(i.cause_resolved_at, now()) - i.cause_opened_at > interval '5 minutes'
      AND {{in_sites i}}
      AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
           OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))
) f
ORDER BY w.rank

-- voltage_share: share of the hours in which a meter's voltage was within 10 % of the nominal one
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor FROM dashboard.series s
    WHERE s.quantity = 'voltage' AND s.metric ~ '^voltage(_l[123])?$' AND {{in_sites s}}
)
SELECT 100.0 * count(*) FILTER (WHERE abs(h.average * w.factor - ${nominal:sqlstring}::double precision)
                                      <= 0.1 * ${nominal:sqlstring}::double precision) / nullif(count(*), 0) AS share
FROM dashboard.reading_hourly h
JOIN wanted w ON w.id = h.series_id
WHERE h.series_id = ANY (ARRAY(SELECT id FROM wanted)) AND h.bucket >= $__timeFrom() AND h.bucket <= $__timeTo()
  AND h.average * w.factor >= 0.05 * ${nominal:sqlstring}::double precision

-- out_of_credit: prepaid meters whose newest credit is below 5 kWh
SELECT count(*) FILTER (WHERE r.value < 5) AS meters
FROM dashboard.newest(ARRAY(SELECT s.id FROM dashboard.series s WHERE s.metric = 'credit' AND {{in_sites s}}), $__timeTo()) r

-- capacity: each feeder and transformer: load now, the peak of the window, and both as a share of what it can carry
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.supplies_site AND s.quantity IN ('power', 'apparent power') AND s.metric IN ('power', 'apparent_power') AND {{in_sites s}}
), peak AS (
    SELECT r.series_id, max(r.maximum) AS value
    FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
    GROUP BY 1
)
SELECT w.device_name, w.device_id::text AS device, w.site_name, w.site, w.organisation, n.value * w.factor AS now,
       p.value * w.factor AS peak, d.capacity, 100 * n.value * w.factor / d.capacity AS share_now,
       100 * p.value * w.factor / d.capacity AS share_peak
FROM wanted w
JOIN peak p ON p.series_id = w.id
JOIN dashboard.device_detail d ON d.id = w.device_id
LEFT JOIN dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo(), '1 day') n ON n.series_id = w.id
ORDER BY share_peak DESC NULLS LAST, peak DESC NULLS LAST
LIMIT 100

-- voltage: lowest and highest voltage over all meters, in V
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor FROM dashboard.series s
    WHERE s.quantity = 'voltage' AND s.metric ~ '^voltage(_l[123])?$' AND {{in_sites s}}
)
SELECT r.bucket AS time, avg(r.average * w.factor) AS average, min(r.minimum * w.factor) AS minimum,
       max(r.maximum * w.factor) AS maximum
FROM dashboard.readings(ARRAY(SELECT id FROM wanted), $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN wanted w ON w.id = r.series_id
WHERE r.minimum * w.factor >= 0.05 * ${nominal:sqlstring}::double precision
GROUP BY 1
ORDER BY 1

-- voltage_quality: by site the share of hours within the bands of EN 50160, and whether both bands were kept
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.quantity = 'voltage' AND s.metric ~ '^voltage(_l[123])?$' AND {{in_sites s}}
)
SELECT q.site_name, q.site, q.organisation, q.meters, q.lowest, q.highest, q.within, q.below, q.above,
       CASE WHEN q.hours < 24 THEN 'too few' WHEN q.within >= 95 AND q.beyond = 0 THEN 'within' ELSE 'outside' END AS judged
FROM (
    SELECT m.site_name, m.site, m.organisation, count(DISTINCT m.device_id) AS meters, sum(m.hours) AS hours,
           min(m.lowest) AS lowest, max(m.highest) AS highest, 100.0 * sum(m.within) / sum(m.hours) AS within,
           100.0 * sum(m.below) / sum(m.hours) AS below, 100.0 * sum(m.above) / sum(m.hours) AS above, sum(m.beyond) AS beyond
    FROM (
        SELECT w.id, w.device_id, w.site_name, w.site, w.organisation, count(*) AS hours, min(h.minimum * w.factor) AS lowest,
               max(h.maximum * w.factor) AS highest,
               count(*) FILTER (WHERE h.average * w.factor BETWEEN 0.9 * n.nominal AND 1.1 * n.nominal) AS within,
               count(*) FILTER (WHERE h.average * w.factor < 0.9 * n.nominal) AS below,
               count(*) FILTER (WHERE h.average * w.factor > 1.1 * n.nominal) AS above,
               count(*) FILTER (WHERE h.average * w.factor < 0.85 * n.nominal OR h.average * w.factor > 1.1 * n.nominal) AS beyond
        FROM dashboard.reading_hourly h
        JOIN wanted w ON w.id = h.series_id
        CROSS JOIN (SELECT ${nominal:sqlstring}::double precision AS nominal) n
        WHERE h.series_id = ANY (ARRAY(SELECT id FROM wanted)) AND h.bucket >= $__timeFrom() AND h.bucket <= $__timeTo()
          AND h.average * w.factor >= 0.05 * n.nominal
        GROUP BY 1, 2, 3, 4, 5
    ) m
    GROUP BY 1, 2, 3
) q
ORDER BY q.within, q.site_name
LIMIT 100

-- outages: incidents without supply in the window, newest first
SELECT i.severity, i.state, i.cause_opened_at AS opened_at,
       extract(epoch FROM coalesce(i.cause_resolved_at, now()) - i.cause_opened_at)::double precision AS lasted, i.cause, i.site_name, i.site, i.organisation, i.devices, i.impact_customers AS customers
FROM dashboard.incident i
WHERE i.impact_customers > 0 AND i.opened_at <= $__timeTo() AND (i.resolved_at IS NULL OR i.resolved_at >= $__timeFrom())
  AND {{in_sites i}}
  AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
       OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))
ORDER BY i.state = 'open' DESC, i.opened_at DESC, i.id
LIMIT 100

-- planned: planned work and load shedding of the window and of the week after it, the next first
SELECT n.begins_at, n.ends_at, n.kind, n.title, n.places
FROM dashboard.interruption n
WHERE n.ends_at >= $__timeFrom() AND n.begins_at <= $__timeTo()::timestamptz + interval '7 days'
  AND {{in_organisations n}}
ORDER BY n.begins_at DESC
LIMIT 50

-- balance: of each feeder or transformer whose energy is measured: what flowed in, what its meters counted, and the rest
WITH zone AS MATERIALIZED (
    SELECT s.id, s.slug, s.name, s.organisation, s.customers, s.currency, s.energy_tariff FROM dashboard.site_detail s
    WHERE {{in_organisations s}} AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
)
SELECT z.name AS site_name, z.slug AS site, z.organisation, b.meters, b.supplied, b.metered, r.rest,
       100 * r.rest / nullif(b.supplied, 0) AS share, CASE WHEN b.known THEN 'known' ELSE 'not known' END AS judged,
       z.currency || ' ' || to_char(r.rest * z.energy_tariff, 'FM999,999,999,999,990') AS worth
FROM dashboard.balance(ARRAY(SELECT id FROM zone), 'energy', $__timeFrom(), $__timeTo()) b
JOIN zone z ON z.id = b.site_id
CROSS JOIN LATERAL (SELECT CASE WHEN b.known THEN b.supplied - b.metered END AS rest) r
ORDER BY rest DESC NULLS LAST
LIMIT 100

-- prepaid: prepaid meters, the least credit first: what is left, what a day takes, how long it lasts
WITH prepaid AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_name, s.device_id, s.site_name, s.site, s.organisation FROM dashboard.series s
    WHERE s.metric = 'credit' AND {{in_sites s}}
), register AS MATERIALIZED (
    SELECT s.id, s.factor, s.device_id FROM dashboard.series s
    WHERE s.quantity = 'energy' AND s.kind = 'counter' AND s.metric NOT LIKE '%export%'
      AND s.device_id = ANY (ARRAY(SELECT device_id FROM prepaid)) AND {{in_sites s}}
), used AS (
    SELECT e.device_id, sum(c.consumption * e.factor)
               / (extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 86400) AS daily
    FROM dashboard.consumption(ARRAY(SELECT id FROM register), $__timeFrom(), $__timeTo(), 86400000) c
    JOIN register e ON e.id = c.series_id
    GROUP BY 1
)
SELECT p.device_name, p.device_id::text AS device, p.site_name, p.site, p.organisation, r.value * p.factor AS credit,
       u.daily, r.value * p.factor / nullif(u.daily, 0) AS days_left, r.observed_at
FROM dashboard.newest(ARRAY(SELECT id FROM prepaid), $__timeTo()) r
JOIN prepaid p ON p.id = r.series_id
LEFT JOIN used u ON u.device_id = p.device_id
ORDER BY days_left NULLS LAST, credit
LIMIT 100

-- tamper: covers, power failures and purchases of tokens as meters told them, by kind
SELECT dashboard.bucket(e.observed_at, greatest($__interval_ms * 24, 21600000), $__timeFrom()) AS time, e.kind, count(*) AS events
FROM dashboard.event e
WHERE $__timeFilter(e.observed_at)
  AND e.kind IN ('tamper', 'cover_opened', 'cover_closed', 'power_fail', 'power_failure', 'power_restore', 'vending')
  AND e.device_id = ANY (ARRAY(
        SELECT DISTINCT device_id FROM dashboard.series
        WHERE quantity = 'energy' AND {{in_sites}}))
GROUP BY 1, 2
ORDER BY 1, 2
