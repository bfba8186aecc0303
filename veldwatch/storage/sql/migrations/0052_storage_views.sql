-- What storage takes and whether its upkeep goes well, for the dashboard Storage and veldwatch storage status.
CREATE VIEW dashboard.storage_part WITH (security_barrier) AS
SELECT p.table_name, p.part, p.began, p.ended, p.row_estimate, p.bytes, p.bytes_before, p.is_compressed
FROM public.storage_parts() p;

-- Tables that time does not divide, the largest first.
CREATE VIEW dashboard.storage_table WITH (security_barrier) AS
SELECT c.relname::text AS table_name, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint AS row_estimate,
       pg_total_relation_size(c.oid) AS bytes
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
  AND c.relname NOT IN ('reading_raw', 'position_raw', 'event_raw', 'contact', 'reading_hourly_rollup',
                        'reading_daily_rollup', 'consumption_hourly_rollup');

-- Upkeep, by the server's own jobs and by the maintenance program (which reads the log): how late it is.
CREATE VIEW dashboard.storage_upkeep WITH (security_barrier) AS
SELECT j.work, j.last_success_at, greatest(now() - j.next_at, interval '0') AS late_by, j.is_failing, j.failures
FROM public.storage_jobs() j
UNION ALL
SELECT CASE c.consumer WHEN 'rollups' THEN 'roll up reading' ELSE 'judge consumption' END, c.updated_at,
       make_interval(secs => c.seconds_behind), NULL, NULL
FROM dashboard.consumer c
WHERE c.consumer IN ('rollups', 'consumption');

-- Default privileges cover the new views only for who set them.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        PERFORM grant_dashboards('grafana_ro');
    END IF;
END;
$$;
