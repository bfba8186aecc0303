-- ready: whether the schema is there
SELECT count(*) AS migrations FROM migration;

-- migrations: the steps that were applied
SELECT m.number, m.name, m.applied_at FROM migration m ORDER BY m.number;

-- consumers: how far each consumer of the log is behind; no more than 10,000 batches are counted
SELECT c.consumer, c.updated_at, behind.batches, COALESCE(behind.seconds, 0)::float8 AS seconds
FROM log_cursor c
CROSS JOIN LATERAL (
    SELECT count(*) AS batches, extract(epoch FROM clock_timestamp() - min(b.committed_at)) AS seconds
    FROM (
        SELECT committed_at FROM batch WHERE (batch.xid, batch.id) > (c.xid, c.id)
        ORDER BY batch.xid, batch.id LIMIT 10000
    ) b
) behind
ORDER BY c.consumer;

-- last_batch: when ingest last wrote something
SELECT committed_at FROM batch ORDER BY xid DESC, id DESC LIMIT 1;

-- recent: the first bytes of the batches of the last minute, which tell how many readings each holds
SELECT substring(b.content FROM 1 FOR 32) AS head
FROM (SELECT committed_at, content FROM batch ORDER BY xid DESC, id DESC LIMIT 6000) b
WHERE b.committed_at > clock_timestamp() - interval '1 minute';

-- counts: what waits for people or for the mail, and how much there is within the asker's organisation
SELECT (SELECT coalesce(sum(kept), 0)::bigint FROM quarantine_tally WHERE state = 'open') AS quarantine,
       (SELECT count(*) FROM outbox WHERE state = 'pending') AS outbox_pending,
       (SELECT count(*) FROM outbox WHERE state = 'failed') AS outbox_failed,
       (SELECT count(*) FROM alert a WHERE a.state = 'firing'
           AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)) AS alerts_firing,
       (SELECT count(*) FROM device d
           WHERE %(scope)s::integer IS NULL OR d.organisation_id = %(scope)s) AS devices,
       (SELECT count(*) FROM series s JOIN device d ON d.id = s.device_id
           WHERE %(scope)s::integer IS NULL OR d.organisation_id = %(scope)s) AS series;
