-- add: keep what could not be stored, and name what was kept
-- What comes again is counted in its row; what is new is kept while its reason and source have room. What was settled and
-- comes again waits again, unless somebody gave it up.
WITH came AS (
    SELECT digest, array_agg(at ORDER BY at) AS arrivals
    FROM unnest(%(came_digest)s::bytea[], %(came_at)s::timestamptz[]) AS c (digest, at)
    GROUP BY digest
), given AS (
    SELECT n.*, EXISTS (SELECT 1 FROM quarantine q WHERE q.digest = n.digest) AS known
    FROM unnest(%(digest)s::bytea[], %(received_at)s::timestamptz[], %(last_received_at)s::timestamptz[],
                %(count)s::integer[], %(source)s::text[], %(topic)s::text[], %(payload)s::bytea[], %(reason)s::text[],
                %(detail)s::text[], %(organisation)s::text[], %(device)s::text[], %(topic_pattern)s::text[],
                %(cut)s::boolean[], %(retained)s::boolean[], %(heard)s::boolean[], %(origin)s::text[],
                %(sender_organisation)s::text[])
         AS n (digest, received_at, last_received_at, count, source, topic, payload, reason, detail, organisation,
               device, topic_pattern, cut, retained, heard, origin, sender_organisation)
), counted AS (
    SELECT g.*, count(*) FILTER (WHERE NOT known) OVER place AS place,
           coalesce(sum(octet_length(payload)) FILTER (WHERE NOT known) OVER place, 0) AS bytes
    FROM given g
    WINDOW place AS (PARTITION BY reason, source ORDER BY received_at, digest)
), present AS (
    SELECT reason, source, sum(kept) AS kept, sum(kept_bytes) AS bytes FROM quarantine_tally GROUP BY reason, source
)
INSERT INTO quarantine (digest, received_at, last_received_at, count, source, topic, payload, reason, detail,
                        organisation, device, topic_pattern, cut, retained, heard, origin, sender_organisation, arrivals)
SELECT n.digest, n.received_at, n.last_received_at, n.count, n.source, n.topic, n.payload, n.reason, n.detail,
       n.organisation, n.device, n.topic_pattern, n.cut, n.retained, n.heard, n.origin,
       n.sender_organisation, c.arrivals[1:%(most_arrivals)s::integer]
FROM counted n
JOIN came c USING (digest)
LEFT JOIN present p ON p.reason = n.reason AND p.source = n.source
WHERE n.known
   OR (n.place + coalesce(p.kept, 0) <= %(most)s::bigint AND n.bytes + coalesce(p.bytes, 0) <= %(most_bytes)s::bigint)
ORDER BY n.digest
ON CONFLICT (digest) DO UPDATE
SET count = quarantine.count + CASE WHEN %(arrived)s::boolean THEN EXCLUDED.count ELSE 0 END,
    last_received_at = greatest(quarantine.last_received_at, EXCLUDED.last_received_at),
    arrivals = CASE WHEN cardinality(quarantine.arrivals) >= %(most_arrivals)s THEN quarantine.arrivals
                    WHEN %(arrived)s OR quarantine.arrivals = '{}'
                    THEN (quarantine.arrivals || EXCLUDED.arrivals)[1:%(most_arrivals)s]
                    ELSE quarantine.arrivals END,
    heard = quarantine.heard AND EXCLUDED.heard,
    payload = CASE quarantine.state WHEN 'merged' THEN EXCLUDED.payload ELSE quarantine.payload END,
    detail = CASE WHEN quarantine.state IN ('stored', 'merged') THEN EXCLUDED.detail ELSE quarantine.detail END,
    settled_at = CASE quarantine.state WHEN 'discarded' THEN quarantine.settled_at END,
    merged_into = NULL,
    state = CASE quarantine.state WHEN 'discarded' THEN 'discarded' ELSE 'open' END
RETURNING digest;

-- ids: of rows by what they hold
SELECT digest, id FROM quarantine WHERE digest = ANY (%(digests)s::bytea[]);

-- count_only: note what came when there was no room
INSERT INTO quarantine_counted AS c (reason, source, state, messages, first_at, last_at)
SELECT reason, source, 'open', sum(messages), min(first_at), max(last_at)
FROM unnest(%(reason)s::text[], %(source)s::text[], %(messages)s::bigint[], %(first_at)s::timestamptz[],
            %(last_at)s::timestamptz[]) AS n (reason, source, messages, first_at, last_at)
GROUP BY reason, source
ORDER BY reason, source
ON CONFLICT (reason, source, state) DO UPDATE
SET messages = c.messages + EXCLUDED.messages, first_at = least(c.first_at, EXCLUDED.first_at),
    last_at = greatest(c.last_at, EXCLUDED.last_at);

-- newest: one page, newest first, before an id; of a payload its beginning
SELECT q.id, q.received_at, q.last_received_at, q.count, q.source, q.topic,
       substring(q.payload FROM 1 FOR %(payload_bytes)s::integer), octet_length(q.payload), q.reason, q.detail, q.state,
       q.settled_at, q.organisation, q.device, q.topic_pattern, q.cut, q.origin, q.attempts, q.attempted_at,
       q.merged_into, q.discard_id, (SELECT a.replay_id FROM quarantine_attempt a
                                     WHERE a.quarantine_id = q.id AND a.outcome IS NULL)
FROM quarantine_matching(%(selection)s::jsonb) q
WHERE q.id < %(before)s::bigint
ORDER BY q.id DESC
LIMIT %(limit)s;

-- attempts: what replays made of one message, newest first
SELECT a.replay_id, r.requested_at, r.requested_by, a.outcome, a.at, a.reason, a.detail
FROM quarantine_attempt a
JOIN quarantine_replay r ON r.id = a.replay_id
WHERE a.quarantine_id = %(id)s
ORDER BY a.replay_id DESC
LIMIT %(limit)s;

-- summary: how many messages wait under each reason, the most frequent first
SELECT reason, sum(kept)::bigint
FROM quarantine_tally
WHERE state = 'open' AND kept > 0
GROUP BY reason
ORDER BY sum(kept) DESC, reason;

-- summary_of: the same of one organisation
SELECT reason, count(*)
FROM quarantine
WHERE state = 'open' AND organisation = %(organisation)s
GROUP BY reason
ORDER BY count(*) DESC, reason;

-- groups: how many messages share what is grouped by, the most frequent first, with the newest of each
WITH grouped AS (
    SELECT CASE WHEN 'reason' = ANY (%(by)s::text[]) THEN q.reason END AS reason,
           CASE WHEN 'source' = ANY (%(by)s) THEN q.source END AS source,
           CASE WHEN 'topic_pattern' = ANY (%(by)s) THEN q.topic_pattern END AS topic_pattern,
           CASE WHEN 'organisation' = ANY (%(by)s) THEN q.organisation END AS organisation,
           CASE WHEN 'device' = ANY (%(by)s) THEN q.device END AS device,
           CASE WHEN 'day' = ANY (%(by)s) THEN date_trunc('day', q.received_at) END AS day,
           count(*) AS messages, sum(q.count)::bigint AS arrivals, min(q.received_at) AS first_received_at,
           max(q.last_received_at) AS last_received_at, max(q.id) AS newest_id,
           count(*) FILTER (WHERE NOT q.cut AND q.origin = 'message') AS replayable,
           count(*) FILTER (WHERE EXISTS (SELECT 1 FROM quarantine_attempt a
                                          WHERE a.quarantine_id = q.id AND a.outcome IS NULL)) AS waiting
    FROM quarantine_matching(%(selection)s::jsonb) q
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT g.*, n.detail
FROM grouped g
JOIN quarantine n ON n.id = g.newest_id
ORDER BY g.messages DESC, g.newest_id DESC
LIMIT %(limit)s OFFSET %(skip)s;

-- counted: what is only counted, the most first
SELECT reason, source, state, messages, first_at, last_at
FROM quarantine_counted
ORDER BY messages DESC, reason, source, state;

-- drop_settled: forget messages that were settled before a time, oldest first, so many at a time, and count them
WITH gone AS (
    DELETE FROM quarantine WHERE id IN (
        SELECT q.id FROM quarantine q
        WHERE q.state <> 'open' AND q.settled_at < %(before)s
          AND NOT EXISTS (SELECT 1 FROM quarantine_attempt a WHERE a.quarantine_id = q.id AND a.outcome IS NULL)
        ORDER BY q.settled_at
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    )
    RETURNING reason, source, state, count, received_at, last_received_at
), noted AS (
    INSERT INTO quarantine_counted AS c (reason, source, state, messages, first_at, last_at)
    SELECT reason, source, state, sum(count), min(received_at), max(last_received_at)
    FROM gone
    GROUP BY reason, source, state
    ORDER BY reason, source, state
    ON CONFLICT (reason, source, state) DO UPDATE
    SET messages = c.messages + EXCLUDED.messages, first_at = least(c.first_at, EXCLUDED.first_at),
        last_at = greatest(c.last_at, EXCLUDED.last_at)
)
SELECT count(*) FROM gone;

-- discard: give up the selected messages that wait for nobody, the oldest of them, so many at a time
UPDATE quarantine
SET state = 'discarded', settled_at = clock_timestamp(), discard_id = %(discard_id)s
WHERE id IN (
    SELECT q.id FROM quarantine_matching(%(selection)s::jsonb) q
    WHERE q.state = 'open'
      AND NOT EXISTS (SELECT 1 FROM quarantine_attempt a WHERE a.quarantine_id = q.id AND a.outcome IS NULL)
    ORDER BY q.id
    LIMIT %(most)s
);

-- note_discard: who gives up what, and why
INSERT INTO quarantine_discard (author, reason, organisation, selection)
VALUES (%(author)s, %(reason)s, %(organisation)s, %(selection)s)
RETURNING id;

-- count_discarded: how many they were
UPDATE quarantine_discard SET discarded = %(discarded)s WHERE id = %(id)s
RETURNING id, at, author, reason, organisation, selection, discarded;

-- discards: a page of what was given up, newest first
SELECT id, at, author, reason, organisation, selection, discarded
FROM quarantine_discard
WHERE id < %(before)s::bigint
  AND (%(organisation)s::text IS NULL OR organisation = %(organisation)s)
ORDER BY id DESC
LIMIT %(limit)s;
