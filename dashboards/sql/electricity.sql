-- load_now: what flows through feeders and transformers' outgoing meters now, in kW: their newest powers together
SELECT sum(r.value * s.factor) AS load
FROM dashboard.series s
JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND observed_at > $__timeTo()::timestamptz - interval '1 day'
      AND quality & 4 = 0
    ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.quantity = 'power' AND s.metric = 'power'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- without_supply: customers of the incidents that are open and concern electricity
SELECT coalesce(sum(i.impact_customers), 0)::bigint AS customers
FROM dashboard.incident i
WHERE i.state = 'open' AND i.impact_customers > 0
  AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND i.site = ANY (ARRAY[${site:sqlstring}]::text[])
  AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
       OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))

-- reliability: minutes without supply for each customer with a meter (SAIDI) and interruptions (SAIFI), of outages above 5 minutes
SELECT w.name, CASE w.name WHEN 'SAIDI, minutes' THEN f.minutes ELSE f.interruptions END AS value
FROM unnest(ARRAY['SAIDI, minutes', 'SAIFI']) WITH ORDINALITY AS w (name, rank)
CROSS JOIN (
    SELECT sum(i.impact_customers * extract(epoch FROM least(coalesce(i.cause_resolved_at, now()), $__timeTo())
                                                        - greatest(i.cause_opened_at, $__timeFrom())) / 60)
               / nullif(max(c.customers), 0) AS minutes,
           sum(i.impact_customers)::double precision / nullif(max(c.customers), 0) AS interruptions
    FROM dashboard.incident i
    CROSS JOIN (
        SELECT sum(m.customers) AS customers
        FROM (SELECT DISTINCT p.device_id, p.customers FROM dashboard.supply p
              JOIN dashboard.device d ON d.id = p.device_id
              WHERE p.part = 'meter' AND p.quantity = 'energy'
                AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])) m
    ) c
    WHERE i.impact_customers > 0 AND i.cause_opened_at <= $__timeTo()
      AND coalesce(i.cause_resolved_at, now()) >= $__timeFrom()
      AND coalesce(i.cause_resolved_at, now()) - i.cause_opened_at > interval '5 minutes'
      AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND i.site = ANY (ARRAY[${site:sqlstring}]::text[])
      AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
           OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))
) f
ORDER BY w.rank

-- voltage_share: share of the hours in which a meter's voltage was within 10 % of the nominal one
SELECT 100.0 * count(*) FILTER (WHERE abs(r.average * s.factor - ${nominal:sqlstring}::double precision)
                                      <= 0.1 * ${nominal:sqlstring}::double precision) / nullif(count(*), 0) AS share
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'voltage' AND metric ~ '^voltage(_l[123])?$'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), 3600000) r
JOIN dashboard.series s ON s.id = r.series_id
WHERE r.average * s.factor >= 0.05 * ${nominal:sqlstring}::double precision

-- out_of_credit: prepaid meters whose newest credit is below 5 kWh
SELECT count(*) FILTER (WHERE r.value < 5) AS meters
FROM dashboard.series s
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.metric = 'credit'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- load: load of feeders and transformers, in kW or, where only that is measured, kVA
SELECT r.bucket AS time, s.device_name AS point, r.average * s.factor AS load
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
               WHERE s.quantity IN ('power', 'apparent power') AND s.metric IN ('power', 'apparent_power')
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY s.device_name LIMIT 20),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- capacity: each feeder and transformer: load now, the peak of the window, and both as a share of what it can carry
SELECT s.device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation, max(n.value * s.factor) AS now,
       max(r.maximum * s.factor) AS peak, max(d.capacity) AS capacity,
       100 * max(n.value * s.factor) / max(d.capacity) AS share_now, 100 * max(r.maximum * s.factor) / max(d.capacity) AS share_peak
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id AND d.supplies_site
               WHERE s.quantity IN ('power', 'apparent power') AND s.metric IN ('power', 'apparent_power')
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
JOIN dashboard.device_detail d ON d.id = s.device_id
LEFT JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND observed_at > $__timeTo()::timestamptz - interval '1 day'
      AND quality & 4 = 0
    ORDER BY observed_at DESC LIMIT 1
) n ON true
GROUP BY s.id, s.device_name, s.device_id, s.site_name, s.site, s.organisation
ORDER BY share_peak DESC NULLS LAST, peak DESC NULLS LAST
LIMIT 100

-- power_total: power of all customers' meters together, smallest and largest sum of a bucket beside the average, in kW
SELECT r.bucket AS time, sum(r.average * s.factor) AS average, sum(r.minimum * s.factor) AS minimum,
       sum(r.maximum * s.factor) AS maximum
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id
               WHERE s.quantity = 'power' AND NOT d.supplies_site
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 7200000)) r
JOIN dashboard.series s ON s.id = r.series_id
GROUP BY 1
ORDER BY 1

-- energy: what the registers of customers counted, by site, in kWh
SELECT c.bucket AS time, s.site_name AS site, sum(c.consumption * s.factor) AS energy
FROM dashboard.consumption(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id
               WHERE s.quantity = 'energy' AND s.kind = 'counter' AND s.metric NOT LIKE '%export%' AND NOT d.supplies_site
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms * 24, 7200000)) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1, 2
ORDER BY 1, 2

-- largest: devices by the energy that they counted in the window, in kWh
SELECT s.device_name AS device, sum(c.consumption * s.factor) AS energy
FROM dashboard.consumption(
         ARRAY(SELECT s.id FROM dashboard.series s JOIN dashboard.device_detail d ON d.id = s.device_id
               WHERE s.quantity = 'energy' AND s.kind = 'counter' AND s.metric NOT LIKE '%export%' AND NOT d.supplies_site
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 86400000)) c
JOIN dashboard.series s ON s.id = c.series_id
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 12

-- voltage: lowest and highest voltage over all meters, in V
SELECT r.bucket AS time, avg(r.average * s.factor) AS average, min(r.minimum * s.factor) AS minimum,
       max(r.maximum * s.factor) AS maximum
FROM dashboard.readings(
         ARRAY(SELECT id FROM dashboard.series
               WHERE quantity = 'voltage' AND metric ~ '^voltage(_l[123])?$'
                 AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 1800000)) r
JOIN dashboard.series s ON s.id = r.series_id
WHERE r.minimum * s.factor >= 0.05 * ${nominal:sqlstring}::double precision
GROUP BY 1
ORDER BY 1

-- voltage_quality: by site the share of hours within the bands of EN 50160, and whether both bands were kept
SELECT q.site_name, q.site, q.organisation, q.meters, q.lowest, q.highest, q.within, q.below, q.above,
       CASE WHEN q.hours < 24 THEN 'too few' WHEN q.within >= 95 AND q.beyond = 0 THEN 'within' ELSE 'outside' END AS judged
FROM (
    SELECT s.site_name, s.site, s.organisation, count(DISTINCT s.device_id) AS meters, count(*) AS hours,
           min(r.minimum * s.factor) AS lowest, max(r.maximum * s.factor) AS highest,
           100.0 * count(*) FILTER (WHERE r.average * s.factor BETWEEN 0.9 * n.nominal AND 1.1 * n.nominal) / count(*) AS within,
           100.0 * count(*) FILTER (WHERE r.average * s.factor < 0.9 * n.nominal) / count(*) AS below,
           100.0 * count(*) FILTER (WHERE r.average * s.factor > 1.1 * n.nominal) / count(*) AS above,
           count(*) FILTER (WHERE r.average * s.factor < 0.85 * n.nominal OR r.average * s.factor > 1.1 * n.nominal) AS beyond
    FROM dashboard.readings(
             ARRAY(SELECT id FROM dashboard.series
                   WHERE quantity = 'voltage' AND metric ~ '^voltage(_l[123])?$'
                     AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                     AND site = ANY (ARRAY[${site:sqlstring}]::text[])),
             $__timeFrom(), $__timeTo(), 3600000) r
    JOIN dashboard.series s ON s.id = r.series_id
    CROSS JOIN (SELECT ${nominal:sqlstring}::double precision AS nominal) n
    WHERE r.average * s.factor >= 0.05 * n.nominal
    GROUP BY 1, 2, 3
) q
ORDER BY q.within, q.site_name
LIMIT 100

-- outages: incidents without supply in the window, newest first
SELECT i.severity, i.state, i.cause_opened_at AS opened_at,
       extract(epoch FROM coalesce(i.cause_resolved_at, now()) - i.cause_opened_at)::double precision AS lasted, i.cause, i.site_name, i.site, i.organisation, i.devices, i.impact_customers AS customers
FROM dashboard.incident i
WHERE i.impact_customers > 0 AND i.opened_at <= $__timeTo() AND coalesce(i.resolved_at, now()) >= $__timeFrom()
  AND i.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND i.site = ANY (ARRAY[${site:sqlstring}]::text[])
  AND (i.device_id IN (SELECT device_id FROM dashboard.series WHERE quantity IN ('power', 'voltage', 'energy'))
       OR i.device_id IS NULL AND i.site_id IN (SELECT site_id FROM dashboard.supply WHERE quantity = 'energy'))
ORDER BY i.state = 'open' DESC, i.opened_at DESC
LIMIT 100

-- planned: planned work and load shedding of the window and of the week after it, the next first
SELECT n.begins_at, n.ends_at, n.kind, n.title, n.places
FROM dashboard.interruption n
WHERE n.ends_at >= $__timeFrom() AND n.begins_at <= $__timeTo()::timestamptz + interval '7 days'
  AND n.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
ORDER BY n.begins_at DESC
LIMIT 50

-- balance: of each feeder or transformer whose energy is measured: what flowed in, what its meters counted, and the rest
WITH zone AS (
    SELECT s.id, s.slug, s.name, s.organisation, s.customers, s.currency, s.energy_tariff
    FROM dashboard.site_detail s
    WHERE s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.slug = ANY (ARRAY[${site:sqlstring}]::text[])
      AND EXISTS (SELECT FROM dashboard.supply p
                  WHERE p.site_id = s.id AND p.part = 'inlet' AND p.quantity = 'energy')
), part AS (
    SELECT p.* FROM zone z JOIN dashboard.supply p ON p.site_id = z.id AND p.quantity = 'energy'
), counted AS (
    SELECT c.series_id, sum(c.consumption) AS amount
    FROM dashboard.consumption(ARRAY(SELECT DISTINCT series_id FROM part), $__timeFrom(), $__timeTo(), 86400000) c
    GROUP BY 1
), total AS (
    SELECT p.site_id, sum(c.amount * p.factor) FILTER (WHERE p.part = 'inlet') AS supplied,
           coalesce(sum(c.amount * p.factor) FILTER (WHERE p.part = 'meter'), 0) AS metered,
           count(DISTINCT p.device_id) FILTER (WHERE p.part = 'meter') AS meters
    FROM part p
    LEFT JOIN counted c ON c.series_id = p.series_id
    GROUP BY 1
)
SELECT z.name AS site_name, z.slug AS site, z.organisation, t.meters, t.supplied, t.metered, t.supplied - t.metered AS rest,
       100 * (t.supplied - t.metered) / nullif(t.supplied, 0) AS share,
       z.currency || ' ' || to_char((t.supplied - t.metered) * z.energy_tariff, 'FM999,999,990') AS worth
FROM total t
JOIN zone z ON z.id = t.site_id
ORDER BY rest DESC NULLS LAST
LIMIT 100

-- prepaid: prepaid meters, the least credit first: what is left, what a day takes, how long it lasts
SELECT s.device_name, s.device_id::text AS device, s.site_name, s.site, s.organisation, r.value * s.factor AS credit,
       u.daily, r.value * s.factor / nullif(u.daily, 0) AS days_left, r.observed_at
FROM dashboard.series s
JOIN LATERAL (
    SELECT value, observed_at FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
LEFT JOIN (
    SELECT e.device_id, sum(c.consumption * e.factor)
               / (extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz) / 86400) AS daily
    FROM dashboard.consumption(
             ARRAY(SELECT e.id FROM dashboard.series e JOIN dashboard.series k ON k.device_id = e.device_id AND k.metric = 'credit'
                   WHERE e.quantity = 'energy' AND e.kind = 'counter' AND e.metric NOT LIKE '%export%'
                     AND e.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                     AND e.site = ANY (ARRAY[${site:sqlstring}]::text[])),
             $__timeFrom(), $__timeTo(), 86400000) c
    JOIN dashboard.series e ON e.id = c.series_id
    GROUP BY 1
) u ON u.device_id = s.device_id
WHERE s.metric = 'credit'
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
ORDER BY days_left NULLS LAST, credit
LIMIT 100

-- tamper: covers, power failures and purchases of tokens as meters told them, by kind
SELECT dashboard.bucket(e.observed_at, greatest($__interval_ms * 24, 21600000), $__timeFrom()) AS time, e.kind, count(*) AS events
FROM dashboard.event e
WHERE $__timeFilter(e.observed_at)
  AND e.kind IN ('tamper', 'cover_opened', 'cover_closed', 'power_fail', 'power_failure', 'power_restore', 'vending')
  AND e.device_id = ANY (ARRAY(
        SELECT DISTINCT device_id FROM dashboard.series
        WHERE quantity = 'energy' AND organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
          AND site = ANY (ARRAY[${site:sqlstring}]::text[])))
GROUP BY 1, 2
ORDER BY 1, 2
