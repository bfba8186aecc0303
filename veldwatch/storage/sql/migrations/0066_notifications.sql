-- Deliverers find what is due in a backlog of any size, leave a receiver alone that asked for it, and lose no bundle.

-- No message goes to it before this time: it asked for that, or the last one failed. NULL: none did.
ALTER TABLE receiver ADD COLUMN not_before timestamptz;

-- What is due for a receiver, the longest due first; and what an alert waits for. Each serves for one of these only,
-- whatever the server knows of how much there is: by the other's index, every row would be compared with every other.
DROP INDEX outbox_due;
CREATE INDEX outbox_receiver ON outbox (receiver_id, next_attempt_at, transition_id) WHERE state = 'pending' AND grouped_in IS NULL;
CREATE INDEX outbox_waiting ON outbox (alert_id, receiver_id) WHERE state = 'pending';

-- As before, by a look-up for each alert: joined, the history of all alerts was read for one, where the server did not
-- know yet how much there is.
CREATE OR REPLACE FUNCTION alert_line(uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE line (alert_id) AS (
        SELECT $1
        UNION
        SELECT before.alert_id
        FROM line
        CROSS JOIN LATERAL (
            SELECT (t.detail ->> 'supersedes')::uuid AS alert_id
            FROM alert_transition t
            WHERE t.alert_id = line.alert_id AND t.detail ->> 'supersedes' IS NOT NULL
            OFFSET 0
        ) before
    )
    SELECT array_agg(line.alert_id) FROM line
$$;

-- Alerts, and all that late data put them in the place of: what is decided of the former holds for news of the latter too.
CREATE INDEX alert_superseded ON alert (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE OR REPLACE FUNCTION with_superseded(alerts uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE line (alert_id) AS (
        SELECT unnest(alerts)
        UNION
        SELECT a.id FROM line JOIN alert a ON a.superseded_by = line.alert_id
    )
    SELECT array_agg(line.alert_id) FROM line
$$;

-- What joined a message that was never sent, since its fate had been decided meanwhile, is looked at again.
UPDATE outbox o SET grouped_in = NULL, reason = NULL
FROM outbox leader
WHERE leader.id = o.grouped_in AND o.state = 'pending' AND leader.state <> 'pending';
