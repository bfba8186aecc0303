-- messages: about how many messages were stored a second (traffic)
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 10000), $__timeFrom()) AS time,
       sum(c.messages * c.stands_for) * 1000.0 / greatest($__interval_ms, 10000) AS messages
FROM dashboard.contacts(ARRAY(SELECT id FROM dashboard.device), $__timeFrom(), $__timeTo()) c
GROUP BY 1
ORDER BY 1

-- delay: seconds from the newest observation of a batch to its arrival: median, 95 % and longest
SELECT dashboard.bucket(c.received_at, greatest($__interval_ms, 10000), $__timeFrom()) AS time,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM c.received_at - c.last_observed_at)) AS p95,
       max(extract(epoch FROM c.received_at - c.last_observed_at))::double precision AS longest
FROM dashboard.contacts(ARRAY(SELECT id FROM dashboard.device), $__timeFrom(), $__timeTo()) c
WHERE c.last_observed_at IS NOT NULL
GROUP BY 1
ORDER BY 1

-- quarantine: messages that could not be stored, by reason (errors)
SELECT dashboard.bucket(received_at, greatest($__interval_ms, 60000), $__timeFrom()) AS time,
       reason, count(*) AS messages
FROM dashboard.quarantine
WHERE $__timeFilter(received_at)
GROUP BY 1, 2
ORDER BY 1, 2

-- quarantined: the newest of them
SELECT last_received_at, reason, source, topic, detail, count, replayed_at
FROM dashboard.quarantine
WHERE last_received_at >= $__timeFrom() AND received_at <= $__timeTo()
ORDER BY last_received_at DESC
LIMIT 100

-- consumers: how far each reader of the log is behind (saturation)
SELECT consumer, batches_behind, seconds_behind, updated_at FROM dashboard.consumer ORDER BY seconds_behind DESC, consumer

-- outbox: messages to people by state
SELECT w.state, count(n.id) AS messages
FROM unnest(ARRAY['pending', 'delivered', 'failed', 'suppressed']) WITH ORDINALITY AS w (state, rank)
LEFT JOIN dashboard.notification n ON n.state = w.state AND n.created_at >= $__timeFrom() AND n.created_at <= $__timeTo()
GROUP BY w.state, w.rank
ORDER BY w.rank

-- attempts: attempts to deliver, by outcome
SELECT dashboard.bucket(at, greatest($__interval_ms, 60000), $__timeFrom()) AS time,
       outcome, count(*) AS attempts
FROM dashboard.attempt
WHERE $__timeFilter(at)
GROUP BY 1, 2
ORDER BY 1, 2

-- oldest_message: how long the oldest message to somebody has waited, in seconds
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS seconds
FROM dashboard.notification WHERE state = 'pending'

-- log: bytes that commits appended to the log, and how many there were
SELECT dashboard.bucket(committed_at, greatest($__interval_ms, 10000), $__timeFrom()) AS time,
       count(*) * 1000.0 / greatest($__interval_ms, 10000) AS commits
FROM dashboard.batch
WHERE $__timeFilter(committed_at)
GROUP BY 1
ORDER BY 1
