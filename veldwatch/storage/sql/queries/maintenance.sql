-- drop_batches: drop what is old enough and read by every consumer for good, oldest first, so many at a time; nothing
-- before the two that keep figures have begun: what they never read is in no roll-up
DELETE FROM batch WHERE id IN (
    SELECT oldest.id
    FROM (SELECT id, xid, committed_at FROM batch ORDER BY xid, id LIMIT %(limit)s) AS oldest
    WHERE oldest.committed_at < %(before)s
      AND (SELECT count(*) FROM log_cursor f WHERE f.consumer IN ('rollups', 'consumption')) = 2
      AND NOT EXISTS (SELECT 1 FROM log_cursor c
                      WHERE (c.xid, c.id) < (oldest.xid, oldest.id) OR c.again_xid < oldest.xid)
);

-- drop_register_changes: forget which transactions changed the register, once nobody knows it as it was before
DELETE FROM register_change
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND changed_at < now() - interval '1 day';

-- server_time: what the server's clock says
SELECT clock_timestamp();

-- has_partition: whether a row of that time finds a partition
SELECT to_regclass(%(table)s || '_' || to_char(%(at)s::timestamptz AT TIME ZONE 'UTC', 'YYYYMM')) IS NOT NULL;

-- consumers: each consumer of the log, how many batches it has not read, and when the oldest of them was written; those
-- that keep figures also if they never began, once there is something to read
SELECT c.consumer, w.waiting, w.oldest
FROM (
    SELECT consumer, xid, id FROM log_cursor
    UNION ALL
    SELECT k.name, '0'::xid8, 0 FROM (VALUES ('rollups'), ('consumption')) AS k (name)
    WHERE EXISTS (SELECT FROM batch) AND NOT EXISTS (SELECT FROM log_cursor l WHERE l.consumer = k.name)
) c
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(b.committed_at) AS oldest FROM batch b WHERE (b.xid, b.id) > (c.xid, c.id)
) w
ORDER BY c.consumer;

-- outbox_backlog: how many messages wait to be sent, and since when the oldest is due
SELECT count(*), min(next_attempt_at) FROM outbox WHERE state = 'pending';

-- notifications: how much of their room is taken, and who may be keeping them: the oldest transaction of all sessions
SELECT pg_notification_queue_usage(),
       (SELECT format('%s (%s, process %s)', a.xact_start::timestamptz(0), a.usename, a.pid)
        FROM pg_stat_activity a WHERE a.datname = current_database() AND a.xact_start < now() - interval '5 s'
        ORDER BY a.xact_start LIMIT 1);
