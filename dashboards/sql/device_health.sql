-- states: devices by state
SELECT w.state, count(d.id) AS devices
FROM unnest(ARRAY['reporting', 'silent', 'offline', 'never heard']) WITH ORDINALITY AS w (state, rank)
LEFT JOIN dashboard.device_state d
       ON d.state = w.state AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
      AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])
GROUP BY w.state, w.rank
ORDER BY w.rank

-- low_batteries: devices whose newest charge is below a fifth, or below 3.2 V of one lithium cell
SELECT count(DISTINCT s.device_id) FILTER (WHERE s.unit = '%' AND r.value < 20 OR s.unit = 'V' AND r.value BETWEEN 1 AND 3.2) AS devices
FROM dashboard.series s
JOIN LATERAL (
    SELECT value FROM dashboard.reading
    WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
) r ON true
WHERE s.metric LIKE '%batt%' AND s.unit IN ('%', 'V')
  AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- refused: messages of the chosen devices that could not be stored, in the window
SELECT coalesce(sum(q.count), 0)::bigint AS messages
FROM dashboard.device_quarantine q
JOIN dashboard.device d ON d.id = q.device_id
WHERE q.last_received_at >= $__timeFrom() AND q.received_at <= $__timeTo()
  AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])

-- wrong_clocks: devices that told a time in the future, or one that was a day old, in more than half of their messages
SELECT count(*) AS devices
FROM (
    SELECT c.device_id
    FROM dashboard.contact c
    JOIN dashboard.device d ON d.id = c.device_id
    WHERE $__timeFilter(c.received_at) AND c.last_observed_at IS NOT NULL
      AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])
    GROUP BY 1
    HAVING percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at))
           NOT BETWEEN -60 AND 86400
) w

-- devices: what is wrong with each device, the worst first
WITH chosen AS (
    SELECT * FROM dashboard.device_state
    WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND site = ANY (ARRAY[${site:sqlstring}]::text[])
), heard AS (
    SELECT c.device_id, sum(c.messages) AS messages,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS delay,
           max(extract(epoch FROM c.received_at - c.before)) AS longest_gap
    FROM (
        SELECT k.device_id, k.received_at, k.messages, k.last_observed_at,
               lag(k.received_at) OVER (PARTITION BY k.device_id ORDER BY k.received_at) AS before
        FROM dashboard.contact k
        WHERE $__timeFilter(k.received_at) AND k.device_id = ANY (ARRAY(SELECT id FROM chosen))
    ) c
    GROUP BY 1
), refused AS (
    SELECT device_id, sum(count) AS messages FROM dashboard.device_quarantine
    WHERE last_received_at >= $__timeFrom() AND received_at <= $__timeTo() GROUP BY 1
), newest AS (
    SELECT s.device_id, min(r.value) FILTER (WHERE s.metric LIKE '%batt%' AND s.unit = '%') AS battery,
           min(r.value) FILTER (WHERE s.metric LIKE '%batt%' AND s.unit = 'V') AS battery_volts,
           min(r.value) FILTER (WHERE s.quantity = 'signal') AS signal
    FROM dashboard.series s
    JOIN LATERAL (
        SELECT value FROM dashboard.reading
        WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
    ) r ON true
    WHERE (s.metric LIKE '%batt%' AND s.unit IN ('%', 'V') OR s.quantity = 'signal') AND s.device_id = ANY (ARRAY(SELECT id FROM chosen))
    GROUP BY 1
)
SELECT c.name, c.id::text AS device, c.site_name, c.site, c.organisation, c.profile, coalesce(x.gateway, '') AS gateway, c.state,
       c.last_contact_at, least(100, 100 * h.messages * extract(epoch FROM d.expected_interval)
           / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz)) AS arrived,
       h.longest_gap, h.delay, n.battery, n.battery_volts, n.signal, coalesce(q.messages, 0) AS refused,
       (SELECT count(*) FROM dashboard.alert a WHERE a.device_id = c.id AND a.state = 'firing') AS firing
FROM chosen c
JOIN dashboard.device d ON d.id = c.id
JOIN dashboard.device_detail x ON x.id = c.id
LEFT JOIN heard h ON h.device_id = c.id
LEFT JOIN refused q ON q.device_id = c.id
LEFT JOIN newest n ON n.device_id = c.id
ORDER BY array_position(ARRAY['offline', 'silent', 'never heard', 'reporting'], c.state), firing DESC, refused DESC, arrived NULLS FIRST, c.name
LIMIT 300

-- gateways: each gateway with what is heard through it
SELECT g.name, g.id::text AS device, g.site_name, g.site, g.organisation, g.state, g.last_contact_at, count(b.id) AS behind,
       count(b.id) FILTER (WHERE s.state <> 'reporting') AS silent_behind
FROM dashboard.device_state g
LEFT JOIN dashboard.device_detail b ON b.gateway = g.name AND b.id IN (SELECT id FROM dashboard.device WHERE organisation = g.organisation)
LEFT JOIN dashboard.device_state s ON s.id = b.id
WHERE g.kind = 'gateway'
  AND g.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND g.site = ANY (ARRAY[${site:sqlstring}]::text[])
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY silent_behind DESC, g.name
LIMIT 100

-- reporting: how many of the chosen devices were heard in each stretch of time
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 10800000), $__timeFrom()) AS time,
       count(DISTINCT c.device_id) AS heard
FROM dashboard.contact c
WHERE $__timeFilter(c.received_at)
  AND c.device_id = ANY (ARRAY(SELECT id FROM dashboard.device
                               WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])))
GROUP BY 1
ORDER BY 1

-- delay: seconds from the newest observation of a contact to its arrival: of half of them, of 95 in 100, and the longest
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 3600000), $__timeFrom()) AS time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS p95
FROM dashboard.contact c
WHERE $__timeFilter(c.received_at) AND c.last_observed_at IS NOT NULL
  AND c.device_id = ANY (ARRAY(SELECT id FROM dashboard.device
                               WHERE organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                                 AND site = ANY (ARRAY[${site:sqlstring}]::text[])))
GROUP BY 1
ORDER BY 1

-- battery: charge of the ten devices that have least now
SELECT r.bucket AS time, s.device_name AS device, r.average AS battery
FROM dashboard.readings(
         ARRAY(SELECT s.id FROM dashboard.series s
               JOIN LATERAL (
                   SELECT value FROM dashboard.reading
                   WHERE series_id = s.id AND observed_at <= $__timeTo() AND quality & 4 = 0 ORDER BY observed_at DESC LIMIT 1
               ) l ON true
               WHERE s.metric LIKE '%batt%' AND s.unit = '%'
                 AND s.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[])
                 AND s.site = ANY (ARRAY[${site:sqlstring}]::text[])
               ORDER BY l.value LIMIT 10),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
JOIN dashboard.series s ON s.id = r.series_id
ORDER BY 1, 2

-- quarantine: messages of devices that could not be stored, by device and reason
SELECT d.name, d.id::text AS device, d.site_name, d.site, d.organisation, q.reason, sum(q.count) AS messages,
       max(q.last_received_at) AS last_at, count(*) FILTER (WHERE q.state = 'open') AS open
FROM dashboard.device_quarantine q
JOIN dashboard.device d ON d.id = q.device_id
WHERE q.last_received_at >= $__timeFrom() AND q.received_at <= $__timeTo()
  AND d.organisation = ANY (ARRAY[${organisation:sqlstring}]::text[]) AND d.site = ANY (ARRAY[${site:sqlstring}]::text[])
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY messages DESC
LIMIT 100
