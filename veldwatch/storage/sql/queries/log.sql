-- append: add a batch and wake the consumers at commit
WITH appended AS (
    INSERT INTO batch (content) VALUES (%(content)s) RETURNING id
)
SELECT wake('veldwatch_batch', id::text) FROM appended;

-- read: batches after a cursor whose transactions can no longer be overtaken, in commit order
SELECT b.xid::text, b.id, b.content
FROM batch b
WHERE (b.xid, b.id) > (%(xid)s::text::xid8, %(id)s)
  AND b.xid < (SELECT log_settled_before())
ORDER BY b.xid, b.id
LIMIT %(limit)s;

-- load_cursor: where a consumer stood at its last commit
SELECT xid::text, id FROM log_cursor WHERE consumer = %(consumer)s;

-- save_cursor: keep where a consumer stands
INSERT INTO log_cursor (consumer, xid, id) VALUES (%(consumer)s, %(xid)s::text::xid8, %(id)s)
ON CONFLICT (consumer) DO UPDATE SET xid = EXCLUDED.xid, id = EXCLUDED.id, updated_at = now();

-- load_again: from where a consumer reads again after a restart
SELECT again_xid::text FROM log_cursor WHERE consumer = %(consumer)s;

-- save_again: what is saved holds the log up to here
UPDATE log_cursor SET again_xid = %(xid)s::text::xid8 WHERE consumer = %(consumer)s;

-- is_ahead: whether batches, cursors or changes of the register are of transactions that this server has not begun
SELECT EXISTS (SELECT 1 FROM batch WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
    OR EXISTS (SELECT 1 FROM log_cursor WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
    OR EXISTS (SELECT 1 FROM register_change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()));

-- rebase_batches: put every batch before all that this server will write
UPDATE batch SET xid = '3'::xid8;

-- rebase_cursors: let every consumer begin again
WITH forgotten AS (
    UPDATE fold SET read_through = NULL, read_before = NULL, read_after = NULL WHERE read_through IS NOT NULL
), noted AS (
    DELETE FROM register_change
)
UPDATE log_cursor SET xid = '0'::xid8, id = 0, again_xid = NULL, updated_at = now();

-- read_unsettled: what is committed after a cursor, whatever else is running
SELECT xid::text, id, content FROM batch WHERE (xid, id) > (%(xid)s::xid8, %(id)s::bigint) ORDER BY xid, id LIMIT %(limit)s;
