-- add: keep what could not be stored; what comes again is counted
INSERT INTO quarantine (digest, received_at, last_received_at, count, source, topic, payload, reason, detail)
SELECT digest, received_at, last_received_at, count, source, topic, payload, reason, detail
FROM unnest(%(digest)s::bytea[], %(received_at)s::timestamptz[], %(last_received_at)s::timestamptz[],
            %(count)s::integer[], %(source)s::text[], %(topic)s::text[], %(payload)s::bytea[], %(reason)s::text[],
            %(detail)s::text[])
     AS n (digest, received_at, last_received_at, count, source, topic, payload, reason, detail)
ORDER BY digest
ON CONFLICT (digest) DO UPDATE
SET count = quarantine.count + EXCLUDED.count,
    last_received_at = greatest(quarantine.last_received_at, EXCLUDED.last_received_at);

-- ids: of rows by what they hold
SELECT digest, id FROM quarantine WHERE digest = ANY (%(digests)s::bytea[]);

-- newest: one page, newest first, before an id
SELECT id, received_at, last_received_at, count, source, topic, payload, reason, detail, replayed_at
FROM quarantine
WHERE id < %(before)s::bigint
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(topic_prefix)s::text IS NULL OR starts_with(topic, %(topic_prefix)s))
ORDER BY id DESC
LIMIT %(limit)s;

-- get: one of them
SELECT id, received_at, last_received_at, count, source, topic, payload, reason, detail, replayed_at
FROM quarantine
WHERE id = %(id)s;

-- summary: how many messages wait under each reason, the most frequent first
SELECT reason, count(*)
FROM quarantine
WHERE replayed_at IS NULL
  AND (%(topic_prefix)s::text IS NULL OR starts_with(topic, %(topic_prefix)s))
GROUP BY reason
ORDER BY count(*) DESC, reason;
