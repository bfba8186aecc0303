-- How much room each chunk of telemetry and rollups takes, as veldwatch storage status and the dashboard Storage show it.
-- Rows are the server's estimates, except in compressed chunks: counting a year of readings would read all of it.
CREATE FUNCTION storage_parts()
RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
               bytes_before bigint, is_compressed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH shown (table_name, home, name) AS (
        SELECT t.shown, 'public'::name, t.parent::name
        FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'),
                     ('contact', 'contact'), ('consumption_hourly', 'consumption_hourly_rollup')) AS t (shown, parent)
        UNION ALL
        SELECT t.shown, a.materialization_hypertable_schema, a.materialization_hypertable_name
        FROM (VALUES ('reading_hourly', 'reading_hourly_aggregate'), ('reading_daily', 'reading_daily_aggregate'))
             AS t (shown, aggregate)
        JOIN timescaledb_information.continuous_aggregates a ON a.view_schema = 'public' AND a.view_name = t.aggregate
    )
    SELECT s.table_name, k.chunk_name::text, k.range_start, k.range_end,
           -- What was written late lies beside the compressed rows until the policy takes it in: by its room, because the
           -- statistics of a compressed chunk stay what they were before, for the planner.
           CASE WHEN k.is_compressed
                THEN z.numrows_pre_compression
                     + (pg_relation_size(c.oid) * z.numrows_pre_compression / nullif(z.uncompressed_heap_size, 0))
                ELSE greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint END,
           pg_total_relation_size(c.oid) + coalesce(pg_total_relation_size(packed.oid), 0),
           pg_total_relation_size(c.oid)
               + coalesce(z.uncompressed_heap_size + z.uncompressed_index_size + z.uncompressed_toast_size, 0),
           k.is_compressed
    FROM shown s
    JOIN timescaledb_information.chunks k ON (k.hypertable_schema, k.hypertable_name) = (s.home, s.name)
    JOIN pg_class c ON c.oid = format('%I.%I', k.chunk_schema, k.chunk_name)::regclass
    JOIN _timescaledb_catalog.chunk entry ON (entry.schema_name, entry.table_name) = (k.chunk_schema, k.chunk_name)
    LEFT JOIN _timescaledb_catalog.compression_chunk_size z ON z.chunk_id = entry.id
    LEFT JOIN _timescaledb_catalog.chunk packed_entry ON packed_entry.id = entry.compressed_chunk_id
    LEFT JOIN pg_namespace home ON home.nspname = packed_entry.schema_name
    LEFT JOIN pg_class packed ON packed.relnamespace = home.oid AND packed.relname = packed_entry.table_name
$$;

-- What the server itself does from time to time, and whether it goes well.
CREATE FUNCTION storage_jobs()
RETURNS TABLE (work text, last_success_at timestamptz, next_at timestamptz, is_failing boolean, failures bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE j.proc_name WHEN 'policy_compression' THEN 'compress '
                            WHEN 'policy_refresh_continuous_aggregate' THEN 'roll up '
                            WHEN 'policy_retention' THEN 'drop old '
                            ELSE j.proc_name || ' ' END
               || coalesce(a.view_name, j.hypertable_name, ''),
           -- -infinity: never yet
           nullif(s.last_successful_finish, '-infinity'), nullif(s.next_start, '-infinity'),
           coalesce(s.last_run_status, 'Success') <> 'Success', coalesce(s.total_failures, 0)
    FROM timescaledb_information.jobs j
    LEFT JOIN timescaledb_information.job_stats s ON s.job_id = j.job_id
    LEFT JOIN timescaledb_information.continuous_aggregates a
        ON (a.materialization_hypertable_schema, a.materialization_hypertable_name)
           = (j.hypertable_schema, j.hypertable_name)
    WHERE j.hypertable_name IS NOT NULL
$$;
