-- low_batteries: devices whose newest charge is below a fifth, or below 3.2 V of one lithium cell
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_id, s.unit FROM dashboard.series s
    WHERE s.metric LIKE '%batt%' AND s.unit IN ('%', 'V') AND {{in_sites s}}
)
SELECT count(DISTINCT w.device_id) FILTER (WHERE w.unit = '%' AND r.value < 20 OR w.unit = 'V' AND r.value BETWEEN 1 AND 3.2) AS devices
FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo()) r
JOIN wanted w ON w.id = r.series_id

-- refused: messages of the chosen devices that could not be stored, in the window
SELECT coalesce(sum(q.count), 0)::bigint AS messages
FROM dashboard.device_quarantine q
JOIN dashboard.device d ON d.id = q.device_id
WHERE q.last_received_at >= $__timeFrom() AND q.received_at <= $__timeTo()
  AND {{in_sites d}}

-- wrong_clocks: devices that told a time in the future, or one that was a day old, in more than half of their messages of the window's last day
SELECT count(*) AS devices
FROM (
    SELECT c.device_id
    FROM dashboard.contact c
    WHERE c.received_at >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '1 day')
      AND c.received_at <= $__timeTo() AND c.last_observed_at IS NOT NULL
      AND c.device_id = ANY (ARRAY(SELECT d.id FROM dashboard.device d WHERE {{in_sites d}}))
    GROUP BY 1
    HAVING 2 * count(*) FILTER (WHERE c.received_at - c.last_observed_at NOT BETWEEN interval '-60 seconds' AND interval '1 day') > count(*)
) w

-- devices: what is wrong with each device, the worst first
WITH firing AS MATERIALIZED (
    SELECT a.device_id, count(*) AS alerts FROM dashboard.alert a WHERE a.state = 'firing' AND a.resolved_at IS NULL AND a.device_id IS NOT NULL GROUP BY 1
), refused AS MATERIALIZED (
    SELECT device_id, sum(count) AS messages FROM dashboard.device_quarantine
    WHERE last_received_at >= $__timeFrom() AND received_at <= $__timeTo() GROUP BY 1
), chosen AS MATERIALIZED (
    -- of more than these the rest has no alert and nothing refused, and is heard from
    SELECT s.*, coalesce(f.alerts, 0) AS firing, coalesce(r.messages, 0) AS refused
    FROM dashboard.device_state s
    LEFT JOIN firing f ON f.device_id = s.id
    LEFT JOIN refused r ON r.device_id = s.id
    WHERE {{in_sites s}}
    ORDER BY array_position(ARRAY['offline', 'silent', 'never heard', 'reporting'], s.state), firing DESC, refused DESC, s.name
    LIMIT 2000
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
), told AS MATERIALIZED (
    SELECT s.id, s.device_id, s.unit FROM dashboard.series s
    WHERE (s.metric LIKE '%batt%' AND s.unit IN ('%', 'V') OR s.quantity = 'signal')
      AND s.device_id = ANY (ARRAY(SELECT id FROM chosen))
), newest AS (
    SELECT t.device_id, min(r.value) FILTER (WHERE t.unit = '%') AS battery,
           min(r.value) FILTER (WHERE t.unit = 'V') AS battery_volts,
           min(r.value) FILTER (WHERE t.unit NOT IN ('%', 'V')) AS signal
    FROM dashboard.newest(ARRAY(SELECT id FROM told), $__timeTo()) r
    JOIN told t ON t.id = r.series_id
    GROUP BY 1
)
SELECT c.name, c.id::text AS device, c.site_name, c.site, c.organisation, c.profile, coalesce(x.gateway, '') AS gateway, c.state,
       c.last_contact_at, least(100, 100 * h.messages * extract(epoch FROM d.expected_interval)
           / extract(epoch FROM $__timeTo()::timestamptz - $__timeFrom()::timestamptz)) AS arrived,
       h.longest_gap, h.delay, n.battery, n.battery_volts, n.signal, c.refused, c.firing
FROM chosen c
JOIN dashboard.device d ON d.id = c.id
JOIN dashboard.device_detail x ON x.id = c.id
LEFT JOIN heard h ON h.device_id = c.id
LEFT JOIN newest n ON n.device_id = c.id
ORDER BY array_position(ARRAY['offline', 'silent', 'never heard', 'reporting'], c.state), c.firing DESC, c.refused DESC, arrived NULLS FIRST, c.name
LIMIT 300

-- gateways: each gateway with what is heard through it
WITH gateway AS MATERIALIZED (
    SELECT g.id, g.name, g.site_name, g.site, g.organisation, g.state, g.last_contact_at FROM dashboard.device_state g
    WHERE g.kind = 'gateway' AND {{in_sites g}}
), behind AS (
    SELECT d.gateway_id, count(*) AS devices, count(*) FILTER (WHERE s.state <> 'reporting') AS silent
    FROM dashboard.device d
    JOIN dashboard.device_state s ON s.id = d.id
    WHERE d.gateway_id = ANY (ARRAY(SELECT id FROM gateway))
    GROUP BY 1
)
SELECT g.name, g.id::text AS device, g.site_name, g.site, g.organisation, g.state, g.last_contact_at,
       coalesce(b.devices, 0) AS behind, coalesce(b.silent, 0) AS silent_behind
FROM gateway g
LEFT JOIN behind b ON b.gateway_id = g.id
ORDER BY silent_behind DESC, g.name
LIMIT 100

-- reporting: about how many of the chosen devices were heard in each stretch of time
SELECT h.time, sum(h.devices) AS heard
FROM (
    SELECT DISTINCT dashboard.bucket(c.received_at, greatest($__interval_ms, 10800000), $__timeFrom()) AS time, c.device_id,
           c.stands_for_devices AS devices
    FROM dashboard.contacts(ARRAY(SELECT d.id FROM dashboard.device d WHERE {{in_sites d}}), $__timeFrom(), $__timeTo()) c
) h
GROUP BY 1
ORDER BY 1

-- delay: seconds from the newest observation of a contact to its arrival: of half of them, and of 95 in 100
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 3600000), $__timeFrom()) AS time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS p95
FROM dashboard.contacts(ARRAY(SELECT d.id FROM dashboard.device d WHERE {{in_sites d}}), $__timeFrom(), $__timeTo()) c
WHERE c.last_observed_at IS NOT NULL
GROUP BY 1
ORDER BY 1

-- battery: charge of the ten devices that have least now
WITH wanted AS MATERIALIZED (
    SELECT s.id, s.device_name FROM dashboard.series s
    WHERE s.metric LIKE '%batt%' AND s.unit = '%' AND {{in_sites s}}
)
SELECT r.bucket AS time, w.device_name AS device, r.average AS battery
FROM dashboard.readings(
         ARRAY(SELECT n.series_id FROM dashboard.newest(ARRAY(SELECT id FROM wanted), $__timeTo()) n ORDER BY n.value LIMIT 10),
         $__timeFrom(), $__timeTo(), greatest($__interval_ms, 3600000)) r
JOIN wanted w ON w.id = r.series_id
ORDER BY 1, 2

-- quarantine: messages of devices that could not be stored, by device and reason
SELECT d.name, d.id::text AS device, d.site_name, d.site, d.organisation, q.reason, sum(q.count) AS messages,
       max(q.last_received_at) AS last_at, count(*) FILTER (WHERE q.state = 'open') AS open
FROM dashboard.device_quarantine q
JOIN dashboard.device d ON d.id = q.device_id
WHERE q.last_received_at >= $__timeFrom() AND q.received_at <= $__timeTo()
  AND {{in_sites d}}
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY messages DESC, d.name, q.reason
LIMIT 100
