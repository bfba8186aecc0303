-- list: messages that could not be stored, newest first, before a cursor
SELECT q.id, q.received_at, q.last_received_at, q.count, q.source, q.topic, q.reason, q.detail, q.payload, q.replayed_at
FROM quarantine q
WHERE q.id < %(before)s::bigint
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND (%(topic_prefix)s::text IS NULL OR starts_with(q.topic, %(topic_prefix)s))
ORDER BY q.id DESC
LIMIT %(limit)s;

-- summary: how many messages wait under each reason, the most frequent first
SELECT q.reason, count(*) AS count
FROM quarantine q
WHERE q.replayed_at IS NULL
  AND (%(topic_prefix)s::text IS NULL OR starts_with(q.topic, %(topic_prefix)s))
GROUP BY q.reason
ORDER BY count(*) DESC, q.reason;
