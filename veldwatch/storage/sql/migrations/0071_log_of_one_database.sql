-- Who reads the log waits for transactions of its own database only, not for those of others on the same server.

-- The first transaction that may still write here: all of this database before it are over, and seen by the statement that asks.
--
-- A snapshot's transactions are those of the whole server, and say nothing of their databases. One is left out only if it is
-- known to be another database's: it was running when the snapshot was taken, and a server process that is connected to another
-- database is seen with it afterwards. An id belongs to one process for as long as it runs (but for two-phase commit, whose
-- transactions are never left out), and a process stays with one database: so it can never have written here. What cannot be
-- told is waited for.
--
-- STABLE, and it must be: such a function works with the snapshot of the statement that calls it. A later one would promise more
-- than that statement sees.
CREATE FUNCTION log_settled_before() RETURNS xid8 LANGUAGE plpgsql STABLE AS $$
DECLARE
    seen CONSTANT pg_snapshot := pg_current_snapshot();
BEGIN
    -- A standby's snapshot lists nothing that runs on the primary.
    IF pg_is_in_recovery() OR pg_snapshot_xmin(seen) = pg_snapshot_xmax(seen) THEN
        RETURN pg_snapshot_xmin(seen);
    END IF;
    -- The view is copied once for a transaction: a copy from before the snapshot could show a process in another's place.
    PERFORM pg_stat_clear_snapshot();
    -- A snapshot's list is without the asker's own transaction.
    RETURN least(pg_snapshot_xmax(seen), pg_current_xact_id_if_assigned(), (
        SELECT min(running.xid)
        FROM pg_snapshot_xip(seen) AS running (xid)
        WHERE running.xid::xid <> ALL (ARRAY(
            SELECT a.backend_xid
            FROM pg_stat_activity a
            WHERE a.backend_xid IS NOT NULL
              AND a.datid <> (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())))
    ));
END;
$$;
