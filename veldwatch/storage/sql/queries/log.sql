-- append: add a batch and wake the consumers at commit
WITH appended AS (
    INSERT INTO batch (content) VALUES (%(content)s) RETURNING id
)
SELECT pg_notify('veldwatch_batch', id::text) FROM appended;

-- read: batches after a cursor whose transactions can no longer be overtaken, in commit order
SELECT xid::text, id, content
FROM batch
WHERE (xid, id) > (%(xid)s::text::xid8, %(id)s)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id
LIMIT %(limit)s;

-- load_cursor: where a consumer stood at its last commit
SELECT xid::text, id FROM log_cursor WHERE consumer = %(consumer)s;

-- save_cursor: keep where a consumer stands
INSERT INTO log_cursor (consumer, xid, id) VALUES (%(consumer)s, %(xid)s::text::xid8, %(id)s)
ON CONFLICT (consumer) DO UPDATE SET xid = EXCLUDED.xid, id = EXCLUDED.id, updated_at = now();
