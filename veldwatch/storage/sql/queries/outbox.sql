-- matching_receivers: enabled receivers of an organisation's alerts of this severity
SELECT id
FROM receiver
WHERE enabled
  AND (organisation_id IS NULL OR organisation_id = %(organisation_id)s)
  AND array_position(ARRAY['info', 'minor', 'major', 'critical'], minimum_severity)
      <= array_position(ARRAY['info', 'minor', 'major', 'critical'], %(severity)s)
ORDER BY id;

-- insert: one notification for one receiver; a second time changes nothing
INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, state, reason, next_attempt_at, created_at)
VALUES (%(id)s, %(transition_id)s, %(alert_id)s, %(receiver_id)s, %(message)s, %(state)s, %(reason)s, %(now)s, %(now)s)
ON CONFLICT (id) DO NOTHING;

-- wake: tell whoever delivers, at commit, that rows are due
SELECT wake('veldwatch_outbox', '');

-- due_receivers: receivers that something is due for and that are not left alone, the longest waiting first; what waits for
-- an earlier one is not due
SELECT r.id, first.since
FROM receiver r
-- of each the first that is due, in the order of an index: whatever else waits is not looked at
CROSS JOIN LATERAL (
    SELECT o.next_attempt_at AS since
    FROM outbox o
    CROSS JOIN LATERAL alert_line(o.alert_id) AS line (alerts)
    WHERE o.receiver_id = r.id
      AND o.state = 'pending'
      AND o.grouped_in IS NULL
      AND o.next_attempt_at <= %(now)s
      -- most that waits waits for the same alert's: that is found without asking which alerts it stands in the place of
      AND NOT EXISTS (SELECT FROM outbox own
                      WHERE own.alert_id = o.alert_id AND own.receiver_id = o.receiver_id AND own.state = 'pending'
                        AND (own.transition_id, own.id) < (o.transition_id, o.id)
                      OFFSET 0)
      AND NOT EXISTS (SELECT FROM outbox earlier
                      WHERE earlier.alert_id = ANY (line.alerts) AND earlier.receiver_id = o.receiver_id
                        AND earlier.state = 'pending'
                        AND (earlier.transition_id, earlier.id) < (o.transition_id, o.id)
                      -- looked up by alert for each: joined by receiver, it is every row against every other
                      OFFSET 0)
    ORDER BY o.next_attempt_at
    LIMIT 1
) first
WHERE coalesce(r.not_before, '-infinity') <= %(now)s
ORDER BY first.since
LIMIT %(limit)s;

-- lock_receiver: become the only one that delivers to a receiver, until unlocked or disconnected
SELECT pg_try_advisory_lock(%(lock)s, %(receiver_id)s);

-- unlock_receiver: let another deliver to it
SELECT pg_advisory_unlock(%(lock)s, %(receiver_id)s);

-- due: what is due for a receiver, only the oldest of each alert (order is kept within it), with what decides its fate
SELECT o.id, o.alert_id, o.message ->> 'kind' AS kind, o.attempts, o.created_at, o.reason, o.composed IS NOT NULL, r.enabled,
       EXISTS (SELECT FROM outbox told
               WHERE told.alert_id = ANY (line.alerts) AND told.receiver_id = o.receiver_id
                 AND told.message ->> 'kind' IN ('firing', 'raised') AND told.state = 'delivered') AS told,
       a.severity, a.opened_at, a.resolved_at, a.state IN ('resolved', 'retracted') AS over,
       v.condition_kind = ANY (%(silent_kinds)s::text[]) AS is_silence, v.explains IS NOT NULL AS is_cause,
       a.explained_by, a.explained_by_interruption, a.explained_until, silenced.silence_id, silenced.ends_at,
       bundle.leader, a.incident_id, site_path(a.site_id), v.definition -> 'schedule'
FROM outbox o
JOIN receiver r ON r.id = o.receiver_id
CROSS JOIN LATERAL alert_line(o.alert_id) AS line (alerts)
-- what late data put in its place counts, where there is such
JOIN alert a ON a.id = alert_head(o.alert_id)
JOIN rule_version v ON v.id = a.rule_version_id
LEFT JOIN LATERAL (
    SELECT m.silence_id, m.ends_at
    FROM silence_match m
    WHERE m.alert_id = a.id AND m.starts_at <= %(now)s AND m.ends_at > %(now)s
    ORDER BY m.ends_at DESC, m.silence_id
    LIMIT 1
) silenced ON true
-- an end: the message that told of its beginning together with others
LEFT JOIN LATERAL (
    SELECT coalesce(f.grouped_in, f.id) AS leader
    FROM outbox f
    WHERE f.alert_id = ANY (line.alerts) AND f.receiver_id = o.receiver_id AND f.message ->> 'kind' IN ('firing', 'raised')
      AND f.state = 'delivered'
      AND (f.grouped_in IS NOT NULL OR EXISTS (SELECT FROM outbox m WHERE m.grouped_in = f.id))
    ORDER BY f.transition_id, f.id
    LIMIT 1
) bundle ON o.message ->> 'kind' = 'resolved'
WHERE o.receiver_id = %(receiver_id)s
  AND coalesce(r.not_before, '-infinity') <= %(now)s
  AND o.state = 'pending'
  AND o.grouped_in IS NULL
  AND o.next_attempt_at <= %(now)s
  -- as for due_receivers
  AND NOT EXISTS (SELECT FROM outbox own
                  WHERE own.alert_id = o.alert_id AND own.receiver_id = o.receiver_id AND own.state = 'pending'
                    AND (own.transition_id, own.id) < (o.transition_id, o.id)
                  OFFSET 0)
  AND NOT EXISTS (SELECT FROM outbox earlier
                  WHERE earlier.alert_id = ANY (line.alerts) AND earlier.receiver_id = o.receiver_id
                    AND earlier.state = 'pending'
                    AND (earlier.transition_id, earlier.id) < (o.transition_id, o.id)
                  -- looked up by alert for each: joined by receiver, it is every row against every other
                  OFFSET 0)
ORDER BY o.next_attempt_at, o.transition_id
LIMIT %(limit)s;

-- open_bundles: of messages that told of several alerts, those of which an alert still holds
SELECT DISTINCT coalesce(o.grouped_in, o.id)
FROM outbox o
JOIN alert a ON a.id = alert_head(o.alert_id)
WHERE (o.id = ANY (%(leaders)s::uuid[]) OR o.grouped_in = ANY (%(leaders)s::uuid[])) AND a.state IN ('pending', 'firing');

-- told_incidents: of some incidents what a receiver was told of silence, each message once, as severe as it said, with
-- the sites above it
SELECT a.incident_id, o.id, coalesce(o.message #>> '{alert,severity}', a.severity), site_path(a.site_id)
FROM outbox o
JOIN alert a ON a.id = o.alert_id
JOIN rule_version v ON v.id = a.rule_version_id
WHERE a.incident_id = ANY (%(incidents)s::uuid[]) AND o.receiver_id = %(receiver_id)s AND o.state = 'delivered'
  AND o.grouped_in IS NULL AND o.message ->> 'kind' IN ('firing', 'raised') AND v.condition_kind = ANY (%(silent_kinds)s::text[])
  -- what a cause explains it takes in already: what it does not explain is something else
  AND v.explains IS NULL
ORDER BY o.delivered_at, o.id;

-- notification: one of them with all that a channel needs; its thread is what was sent of this alert, oldest first
SELECT o.id, o.alert_id, coalesce(o.composed, o.message), o.attempts, o.created_at, r.slug, r.channel, r.address, r.secret,
       (SELECT array_agg(coalesce(sent.grouped_in, sent.id) ORDER BY sent.transition_id, sent.id) FROM outbox sent
        WHERE sent.alert_id = ANY (line.alerts) AND sent.receiver_id = o.receiver_id AND sent.state = 'delivered') AS thread
FROM outbox o
JOIN receiver r ON r.id = o.receiver_id
CROSS JOIN LATERAL alert_line(o.alert_id) AS line (alerts)
WHERE o.id = %(id)s AND o.state = 'pending';

-- messages: what some notifications say
SELECT id, message FROM outbox WHERE id = ANY (%(ids)s::uuid[]);

-- cause: what explained an alert, in a few words
SELECT coalesce(
    (SELECT i.title FROM interruption i WHERE i.id = a.explained_by_interruption),
    (SELECT coalesce(v.definition ->> 'title', r.slug) || coalesce(': ' || d.name, ': ' || s.name, '')
     FROM alert c
     JOIN rule_version v ON v.id = c.rule_version_id
     JOIN rule r ON r.id = v.rule_id
     LEFT JOIN device d ON d.id = c.device_id
     LEFT JOIN site s ON s.id = c.site_id
     WHERE c.id = a.explained_by))
FROM alert a WHERE a.id = alert_head(%(alert_id)s);

-- silence_of: who muted what a silence kept back, until when, and why
SELECT s.author, s.reason, s.ends_at
FROM outbox o JOIN silence s ON s.id = o.silence_id
WHERE o.id = %(id)s;

-- suppress: give notifications up on purpose, with all that would have been told in the same message
-- Engine, people and deliverers change many rows at once, and the same ones. Whoever changes several locks them in the order
-- of their ids first, here as in all that follows, so that no two wait for each other.
WITH given AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(reasons)s::text[], %(joined)s::uuid[]) AS w (id, reason, joined)
), whole AS (
    SELECT given.id, given.reason, given.joined FROM given
    UNION ALL
    SELECT o.id, given.reason, given.joined FROM given JOIN outbox o ON o.grouped_in = given.id
), taken AS (
    SELECT o.id, whole.reason, whole.joined
    FROM whole
    JOIN outbox o ON o.id = whole.id
    WHERE o.state = 'pending'
    ORDER BY o.id
    FOR UPDATE OF o
)
UPDATE outbox o
SET state = 'suppressed', reason = taken.reason, grouped_in = coalesce(taken.joined, o.grouped_in)
FROM taken
WHERE o.id = taken.id;

-- hold: let notifications wait, and say why
WITH taken AS (
    SELECT o.id, w.reason, w.until, w.silence_id
    FROM unnest(%(ids)s::uuid[], %(reasons)s::text[], %(until)s::timestamptz[], %(silences)s::bigint[])
         AS w (id, reason, until, silence_id)
    JOIN outbox o ON o.id = w.id
    WHERE o.state = 'pending'
    ORDER BY o.id
    FOR UPDATE OF o
)
UPDATE outbox o
SET reason = taken.reason, next_attempt_at = taken.until, silence_id = coalesce(taken.silence_id, o.silence_id)
FROM taken
WHERE o.id = taken.id;

-- release: look again at what waits for some alerts, news of those that they stand in the place of too
WITH taken AS (
    SELECT id FROM outbox
    -- asked once: as a condition it is asked for each row, whatever else the server finds to go by
    WHERE alert_id = ANY ((SELECT with_superseded(%(alerts)s::uuid[]))::uuid[]) AND state = 'pending' AND reason IS NOT NULL
      AND next_attempt_at > %(now)s
    ORDER BY id
    FOR UPDATE
)
UPDATE outbox o SET next_attempt_at = %(now)s FROM taken WHERE o.id = taken.id;

-- release_silenced: look again at what a silence keeps back
WITH taken AS (
    SELECT id FROM outbox
    WHERE silence_id = %(silence_id)s AND state = 'pending' AND reason = 'silenced' AND next_attempt_at > %(now)s
    ORDER BY id
    FOR UPDATE
)
UPDATE outbox o SET next_attempt_at = %(now)s FROM taken WHERE o.id = taken.id;

-- hold_open: of some notifications those of which nothing is decided, until the end of the transaction
SELECT id FROM outbox
WHERE id = ANY (%(ids)s::uuid[]) AND state = 'pending' AND grouped_in IS NULL AND composed IS NULL
ORDER BY id
FOR UPDATE;

-- compose: what is sent in place of a notification's own message
UPDATE outbox SET composed = %(composed)s, reason = NULL WHERE id = %(id)s;

-- join_group: notifications that one message tells of
UPDATE outbox SET grouped_in = %(leader)s, reason = 'grouped' WHERE id = ANY (%(ids)s::uuid[]);

-- receipt: keep what came of an attempt
INSERT INTO attempt (outbox_id, number, at, outcome, detail)
VALUES (%(id)s, %(number)s, %(at)s, %(outcome)s, %(detail)s);

-- delivered: the receiver has it
UPDATE outbox
SET state = 'delivered', delivered_at = %(at)s, attempts = CASE WHEN id = %(id)s THEN %(number)s ELSE attempts END,
    reason = CASE WHEN id = %(id)s THEN NULL ELSE reason END
WHERE (id = %(id)s OR grouped_in = %(id)s) AND state = 'pending';

-- postponed: try again later
UPDATE outbox
SET attempts = %(number)s, next_attempt_at = %(next_attempt_at)s, reason = NULL
WHERE id = %(id)s AND state = 'pending';

-- leave_alone: no message to a receiver before a time; NULL: as it was
UPDATE receiver SET not_before = greatest(not_before, %(not_before)s)
WHERE %(not_before)s::timestamptz IS NOT NULL AND id = (SELECT receiver_id FROM outbox WHERE id = %(id)s);

-- failed: give up, with the reason
UPDATE outbox
SET state = 'failed', attempts = CASE WHEN id = %(id)s THEN %(number)s ELSE attempts END, reason = %(reason)s
WHERE (id = %(id)s OR grouped_in = %(id)s) AND state = 'pending';
