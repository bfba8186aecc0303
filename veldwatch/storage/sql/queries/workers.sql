-- share_division: keep the division from being changed, until the connection ends or lets go
SELECT pg_try_advisory_lock_shared(%(lock)s, 0);

-- release_division: let the division be changed
SELECT pg_advisory_unlock_shared(%(lock)s, 0);

-- seize_division: be the only one, and no worker, while the division is changed
SELECT pg_try_advisory_lock(%(lock)s, 0);

-- yield_division: be one of the workers again
SELECT pg_advisory_unlock(%(lock)s, 0);

-- division: into how many shares the subjects are divided
SELECT places FROM rule_division;

-- take_place: carry out a share, until the connection ends
SELECT pg_try_advisory_lock(%(lock)s, %(place)s);

-- least_cursor: how far the one that is furthest behind has read; nothing at all where one has not begun
SELECT c.xid::text, c.id
FROM unnest(%(consumers)s::text[]) AS old (consumer)
JOIN log_cursor c ON c.consumer = old.consumer
WHERE (SELECT count(*) FROM log_cursor k WHERE k.consumer = ANY (%(consumers)s::text[])) = cardinality(%(consumers)s::text[])
ORDER BY c.xid, c.id
LIMIT 1;

-- drop_cursors: let the log end for shares that are no more
DELETE FROM log_cursor WHERE consumer = ANY (%(consumers)s::text[]);

-- forget_activated: let what some of the old shares folded of new versions be folded by the new ones
UPDATE rule_version SET activated_places = '{}' WHERE activated_at IS NULL AND activated_places <> '{}';

-- set_division: divide anew
UPDATE rule_division SET places = %(places)s, since = now();

-- workers: each share, whether somebody carries it out and since when, and how far behind it is in the log
SELECT p.place, d.places AS division, l.pid IS NOT NULL AS taken, a.backend_start AS since,
       coalesce(behind.batches, 0) AS batches, coalesce(behind.seconds, 0)::float8 AS seconds
FROM rule_division d
CROSS JOIN generate_series(1, d.places) AS p (place)
LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.classid = %(lock)s::integer::oid AND l.objid = p.place::oid
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN log_cursor c
    ON c.consumer = CASE WHEN d.places = 1 THEN 'rules' ELSE format('rules-%%sof%%s', p.place, d.places) END
LEFT JOIN LATERAL (
    SELECT count(*) AS batches, extract(epoch FROM clock_timestamp() - min(b.committed_at)) AS seconds
    FROM (
        SELECT committed_at FROM batch
        WHERE (batch.xid, batch.id) > (coalesce(c.xid, '0'::xid8), coalesce(c.id, 0))
        ORDER BY batch.xid, batch.id LIMIT 10000
    ) b
) behind ON true
ORDER BY p.place;
