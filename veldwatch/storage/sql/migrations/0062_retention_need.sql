-- Why something is held back from retention, one row for each reason; retention_hold stays what a sweep asks.

CREATE VIEW retention_need AS
-- a day before it opened: what an explanation shows before the beginning
SELECT d.id AS device_id, a.opened_at - interval '1 day' AS since, a.id AS alert_id, NULL::bigint AS backtest_id
FROM alert a JOIN device d ON d.id = a.device_id OR (a.device_id IS NULL AND d.organisation_id = a.organisation_id)
WHERE a.state IN ('pending', 'firing')
UNION ALL
SELECT d.id, '-infinity'::timestamptz, NULL, b.id
FROM backtest b JOIN device d ON b.organisation_id IS NULL OR d.organisation_id = b.organisation_id
WHERE b.finished_at IS NULL;

CREATE OR REPLACE VIEW retention_hold AS
SELECT n.device_id, min(n.since) AS since FROM retention_need n GROUP BY n.device_id;

-- Only partitions have a month in their name: within CASE it is read of nothing else, whichever table the server reads first.
DO $do$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'reading_raw'::regclass) = 'p' THEN
        CREATE OR REPLACE FUNCTION parts_of(parent regclass) RETURNS TABLE (part regclass, began timestamptz, ended timestamptz)
        LANGUAGE sql STABLE AS $$
            SELECT c.oid::regclass, m.began, m.began + interval '1 month'
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            CROSS JOIN LATERAL (
                SELECT CASE WHEN c.relispartition AND c.relname ~ '_[0-9]{6}$'
                            THEN to_timestamp(right(c.relname, 6) || '+00', 'YYYYMMTZH') END AS began
            ) m
            WHERE i.inhparent = parent
        $$;
    END IF;
END;
$do$;
