-- ask: note who asks for what
INSERT INTO quarantine_replay (requested_by, organisation, selection)
VALUES (%(requested_by)s, %(organisation)s, %(selection)s)
RETURNING id;

-- left_out: how many of the selected messages cannot be replayed
SELECT count(*) FROM quarantine_matching(%(selection)s::jsonb) q
WHERE q.state IN ('open', 'discarded') AND (q.cut OR q.origin <> 'message');

-- enqueue: let the selected messages wait for ingest, the oldest of them, so many at a time
INSERT INTO quarantine_attempt (replay_id, quarantine_id, place)
SELECT %(replay_id)s, q.id, row_number() OVER (ORDER BY q.received_at, q.id)
FROM quarantine_matching(%(selection)s::jsonb) q
WHERE q.state IN ('open', 'discarded') AND NOT q.cut AND q.origin = 'message'
  AND NOT EXISTS (SELECT 1 FROM quarantine_attempt a WHERE a.quarantine_id = q.id AND a.outcome IS NULL)
ORDER BY q.received_at, q.id
LIMIT %(most)s
ON CONFLICT DO NOTHING;

-- take_back: what was given up and is asked for again waits again
UPDATE quarantine q SET state = 'open', settled_at = NULL, discard_id = NULL
FROM quarantine_attempt a
WHERE a.replay_id = %(replay_id)s AND a.quarantine_id = q.id AND q.state = 'discarded';

-- begin: how many were asked for
UPDATE quarantine_replay
SET asked = %(asked)s, left_out = %(left_out)s,
    finished_at = CASE WHEN %(asked)s::integer = 0 THEN clock_timestamp() END
WHERE id = %(id)s;

-- replays: a page, newest first
SELECT id, requested_at, requested_by, organisation, selection, asked, left_out, stored, failed, cancelled,
       cancelled_at, cancelled_by, finished_at
FROM quarantine_replay
WHERE id < %(before)s::bigint
  AND (%(organisation)s::text IS NULL OR organisation = %(organisation)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- replay: one of them
SELECT id, requested_at, requested_by, organisation, selection, asked, left_out, stored, failed, cancelled,
       cancelled_at, cancelled_by, finished_at
FROM quarantine_replay
WHERE id = %(id)s AND (%(organisation)s::text IS NULL OR organisation = %(organisation)s);

-- failures: why messages of a replay failed again, the most frequent first
SELECT reason, count(*), max(quarantine_id) FROM quarantine_attempt
WHERE replay_id = %(id)s AND outcome = 'failed'
GROUP BY reason
ORDER BY count(*) DESC, reason;

-- withdraw: let those wait no longer that ingest has not begun with
UPDATE quarantine_attempt SET outcome = 'cancelled', at = clock_timestamp()
WHERE replay_id = %(id)s AND outcome IS NULL;

-- note_cancelled: who cancelled, and how many it spared
UPDATE quarantine_replay
SET cancelled = cancelled + %(cancelled)s, cancelled_at = coalesce(cancelled_at, clock_timestamp()),
    cancelled_by = coalesce(cancelled_by, %(author)s),
    finished_at = CASE WHEN stored + failed + cancelled + %(cancelled)s >= asked THEN clock_timestamp() END
WHERE id = %(id)s AND finished_at IS NULL;

-- peek: the next messages that wait, oldest replay and oldest message first, so many, arrivals and bytes; nobody else's
WITH next AS (
    SELECT a.replay_id, a.quarantine_id, a.place
    FROM quarantine_attempt a
    WHERE a.outcome IS NULL
    ORDER BY a.replay_id, a.place
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
), sized AS (
    SELECT n.replay_id, q.id, q.topic, q.payload, q.reason, q.retained, q.heard, q.sender_organisation,
           coalesce(nullif(q.arrivals, '{}'), ARRAY[q.received_at]) AS arrivals,
           row_number() OVER queue AS place, sum(cardinality(q.arrivals)) OVER queue AS arrivals_so_far,
           sum(octet_length(q.payload)::bigint * cardinality(q.arrivals)) OVER queue AS bytes_so_far
    FROM next n
    JOIN quarantine q ON q.id = n.quarantine_id
    WINDOW queue AS (ORDER BY n.replay_id, n.place)
)
SELECT replay_id, id, topic, payload, reason, retained, heard, sender_organisation, arrivals
FROM sized
WHERE place = 1 OR (arrivals_so_far <= %(most_arrivals)s AND bytes_so_far <= %(most_bytes)s)
ORDER BY place;

-- claim: how many of those still wait and are nobody else's; they are ours until the transaction ends
SELECT count(*) FROM (
    SELECT 1 FROM quarantine_attempt a
    WHERE a.outcome IS NULL
      AND (a.replay_id, a.quarantine_id) IN (
          SELECT * FROM unnest(%(replay_ids)s::bigint[], %(ids)s::bigint[]) AS w (replay_id, id))
    FOR UPDATE SKIP LOCKED
) AS ours;

-- lock: keep others from changing the messages that are about to be settled
SELECT id FROM quarantine WHERE id = ANY (%(ids)s::bigint[]) ORDER BY digest FOR UPDATE;

-- stored: so many arrivals of each were taken in; a message that came again meanwhile waits on
UPDATE quarantine q
SET arrivals = q.arrivals[n.taken + 1:], attempts = q.attempts + 1, attempted_at = clock_timestamp(),
    state = CASE WHEN cardinality(q.arrivals) <= n.taken THEN 'stored' ELSE 'open' END,
    settled_at = CASE WHEN cardinality(q.arrivals) <= n.taken THEN clock_timestamp() END,
    discard_id = NULL
FROM unnest(%(ids)s::bigint[], %(taken)s::integer[]) AS n (id, taken)
WHERE q.id = n.id;

-- failed: those cannot be stored, perhaps for another reason now, and name those that have a row under it already
WITH given AS (
    SELECT n.*, (SELECT o.id FROM quarantine o WHERE o.digest = n.digest AND o.id <> n.id) AS other
    FROM unnest(%(ids)s::bigint[], %(digest)s::bytea[], %(reason)s::text[], %(detail)s::text[], %(source)s::text[],
                %(organisation)s::text[], %(device)s::text[], %(topic_pattern)s::text[], %(heard)s::boolean[])
         AS n (id, digest, reason, detail, source, organisation, device, topic_pattern, heard)
), handed_on AS (
    -- From now on the other row tells when it came too; what comes last stands last, where `stored` leaves it.
    UPDATE quarantine o
    SET arrivals = (CASE WHEN o.arrivals = '{}' AND o.settled_at IS NULL THEN ARRAY[o.received_at] ELSE o.arrivals END
                    || came.arrivals)[1:%(most_arrivals)s::integer]
    FROM (SELECT n.other, array_agg(c.at ORDER BY c.at) AS arrivals
          FROM given n
          JOIN quarantine q ON q.id = n.id,
               unnest(coalesce(nullif(q.arrivals, '{}'), ARRAY[q.received_at])) AS c (at)
          WHERE n.other IS NOT NULL
          GROUP BY n.other) AS came
    WHERE o.id = came.other
)
UPDATE quarantine q
SET digest = CASE WHEN n.other IS NULL THEN n.digest ELSE q.digest END,
    reason = CASE WHEN n.other IS NULL THEN n.reason ELSE q.reason END,
    source = CASE WHEN n.other IS NULL THEN n.source ELSE q.source END,
    detail = n.detail,
    organisation = coalesce(n.organisation, q.organisation), device = coalesce(n.device, q.device),
    topic_pattern = n.topic_pattern, heard = q.heard OR n.heard,
    attempts = q.attempts + 1, attempted_at = clock_timestamp(), discard_id = NULL,
    state = CASE WHEN n.other IS NULL THEN 'open' ELSE 'merged' END,
    settled_at = CASE WHEN n.other IS NOT NULL THEN clock_timestamp() END,
    merged_into = n.other,
    arrivals = CASE WHEN n.other IS NULL THEN q.arrivals ELSE '{}' END,
    payload = CASE WHEN n.other IS NULL THEN q.payload ELSE '' END
FROM given n
WHERE q.id = n.id
RETURNING q.id, n.other;

-- note_attempts: what came of each
UPDATE quarantine_attempt a
SET outcome = n.outcome, at = clock_timestamp(), reason = n.reason, detail = n.detail
FROM unnest(%(replay_ids)s::bigint[], %(ids)s::bigint[], %(outcome)s::text[], %(reason)s::text[], %(detail)s::text[])
     AS n (replay_id, id, outcome, reason, detail)
WHERE a.replay_id = n.replay_id AND a.quarantine_id = n.id AND a.outcome IS NULL;

-- progress: count what came of a replay's messages; the last of them finishes it
UPDATE quarantine_replay r
SET stored = r.stored + n.stored, failed = r.failed + n.failed,
    finished_at = CASE WHEN r.stored + r.failed + r.cancelled + n.stored + n.failed >= r.asked THEN clock_timestamp() END
FROM unnest(%(ids)s::bigint[], %(stored)s::integer[], %(failed)s::integer[]) AS n (id, stored, failed)
WHERE r.id = n.id;
