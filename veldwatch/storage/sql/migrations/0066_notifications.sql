-- Deliverers find what is due in a backlog of any size, leave a receiver alone that asked for it, and lose no bundle.

-- No message goes to it before this time: it asked for that, or the last one failed. NULL: none did.
ALTER TABLE receiver ADD COLUMN not_before timestamptz;

-- What is due for a receiver, the longest due first. It does not serve to look for what an alert waits for: that is no
-- matter of its receiver.
CREATE INDEX outbox_receiver ON outbox (receiver_id, next_attempt_at, transition_id) WHERE state = 'pending' AND grouped_in IS NULL;

-- What joined a message that was never sent, since its fate had been decided meanwhile, is looked at again.
UPDATE outbox o SET grouped_in = NULL, reason = NULL
FROM outbox leader
WHERE leader.id = o.grouped_in AND o.state = 'pending' AND leader.state <> 'pending';
