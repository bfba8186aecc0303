-- How much room each month of telemetry and rollups takes, as veldwatch storage status and the dashboard Storage show it.
-- Rows are the server's estimates: counting a year of readings would read all of it.
CREATE FUNCTION storage_parts()
RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
               bytes_before bigint, is_compressed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.shown, c.relname::text, m.began, m.began + interval '1 month',
           greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint,
           pg_total_relation_size(c.oid), pg_total_relation_size(c.oid), false
    FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'), ('contact', 'contact'),
                 ('reading_hourly', 'reading_hourly_rollup'), ('reading_daily', 'reading_daily_rollup'),
                 ('consumption_hourly', 'consumption_hourly_rollup')) AS t (shown, parent)
    JOIN pg_inherits i ON i.inhparent = t.parent::regclass
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT to_timestamp(right(c.relname, 6) || '+00', 'YYYYMMTZH') AS began) m
$$;

-- What the server itself does from time to time: nothing, on this edition.
CREATE FUNCTION storage_jobs()
RETURNS TABLE (work text, last_success_at timestamptz, next_at timestamptz, is_failing boolean, failures bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::boolean, NULL::bigint WHERE false
$$;
