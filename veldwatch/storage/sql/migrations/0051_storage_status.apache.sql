-- How much room each chunk of telemetry and month of rollups takes, as veldwatch storage status and the dashboard Storage
-- show it. Rows are the server's estimates: counting a year of readings would read all of it.
CREATE FUNCTION storage_parts()
RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
               bytes_before bigint, is_compressed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.shown, k.chunk_name::text, k.range_start, k.range_end,
           greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint,
           pg_total_relation_size(c.oid), pg_total_relation_size(c.oid), false
    FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'), ('contact', 'contact'),
                 ('reading_hourly', 'reading_hourly_rollup'), ('reading_daily', 'reading_daily_rollup'),
                 ('consumption_hourly', 'consumption_hourly_rollup')) AS t (shown, parent)
    JOIN timescaledb_information.chunks k ON k.hypertable_schema = 'public' AND k.hypertable_name = t.parent
    JOIN pg_class c ON c.oid = format('%I.%I', k.chunk_schema, k.chunk_name)::regclass
$$;

-- What the server itself does from time to time: nothing, on this edition.
CREATE FUNCTION storage_jobs()
RETURNS TABLE (work text, last_success_at timestamptz, next_at timestamptz, is_failing boolean, failures bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::boolean, NULL::bigint WHERE false
$$;
