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
SELECT pg_notify('veldwatch_outbox', '');

-- due_receivers: receivers that something is due for, the longest waiting first; what waits for an earlier one is not due
SELECT o.receiver_id, min(o.next_attempt_at) AS since
FROM outbox o
CROSS JOIN LATERAL (
    -- this alert and those that it took the place of: whoever was told of one was told of all
    WITH RECURSIVE line (alert_id) AS (
        SELECT o.alert_id
        UNION
        SELECT (t.detail ->> 'supersedes')::uuid
        FROM line
        JOIN alert_transition t ON t.alert_id = line.alert_id
        WHERE t.detail ->> 'supersedes' IS NOT NULL
    )
    SELECT array_agg(line.alert_id) AS alerts FROM line
) line
WHERE o.state = 'pending'
  AND o.next_attempt_at <= %(now)s
  AND NOT EXISTS (SELECT FROM outbox earlier
                  WHERE earlier.alert_id = ANY (line.alerts) AND earlier.receiver_id = o.receiver_id
                    AND earlier.state = 'pending'
                    AND (earlier.transition_id, earlier.id) < (o.transition_id, o.id))
GROUP BY o.receiver_id
ORDER BY since
LIMIT %(limit)s;

-- lock_receiver: become the only one that delivers to a receiver, until unlocked or disconnected
SELECT pg_try_advisory_lock(%(lock)s, %(receiver_id)s);

-- unlock_receiver: let another deliver to it
SELECT pg_advisory_unlock(%(lock)s, %(receiver_id)s);

-- due: what is due for a receiver, only the oldest of each alert (order is kept within an alert), with what it was told
SELECT o.id, o.alert_id, o.message, o.attempts, o.created_at, r.slug, r.channel, r.address, r.secret, r.enabled,
       EXISTS (SELECT FROM outbox told
               WHERE told.alert_id = ANY (line.alerts) AND told.receiver_id = o.receiver_id
                 AND told.message ->> 'kind' = 'firing' AND told.state = 'delivered') AS told,
       (SELECT array_agg(sent.id ORDER BY sent.transition_id, sent.id) FROM outbox sent
        WHERE sent.alert_id = ANY (line.alerts) AND sent.receiver_id = o.receiver_id AND sent.state = 'delivered') AS thread
FROM outbox o
JOIN receiver r ON r.id = o.receiver_id
CROSS JOIN LATERAL (
    -- this alert and those that it took the place of: whoever was told of one was told of all
    WITH RECURSIVE line (alert_id) AS (
        SELECT o.alert_id
        UNION
        SELECT (t.detail ->> 'supersedes')::uuid
        FROM line
        JOIN alert_transition t ON t.alert_id = line.alert_id
        WHERE t.detail ->> 'supersedes' IS NOT NULL
    )
    SELECT array_agg(line.alert_id) AS alerts FROM line
) line
WHERE o.receiver_id = %(receiver_id)s
  AND o.state = 'pending'
  AND o.next_attempt_at <= %(now)s
  AND NOT EXISTS (SELECT FROM outbox earlier
                  WHERE earlier.alert_id = ANY (line.alerts) AND earlier.receiver_id = o.receiver_id
                    AND earlier.state = 'pending'
                    AND (earlier.transition_id, earlier.id) < (o.transition_id, o.id))
ORDER BY o.next_attempt_at, o.transition_id
LIMIT %(limit)s;

-- suppress: give a notification up on purpose
UPDATE outbox SET state = 'suppressed', reason = %(reason)s WHERE id = %(id)s AND state = 'pending';

-- receipt: keep what came of an attempt
INSERT INTO attempt (outbox_id, number, at, outcome, detail)
VALUES (%(id)s, %(number)s, %(at)s, %(outcome)s, %(detail)s);

-- delivered: the receiver has it
UPDATE outbox
SET state = 'delivered', attempts = %(number)s, delivered_at = %(at)s
WHERE id = %(id)s AND state = 'pending';

-- postponed: try again later
UPDATE outbox
SET attempts = %(number)s, next_attempt_at = %(next_attempt_at)s
WHERE id = %(id)s AND state = 'pending';

-- failed: give up, with the reason
UPDATE outbox
SET state = 'failed', attempts = %(number)s, reason = %(reason)s
WHERE id = %(id)s AND state = 'pending';
