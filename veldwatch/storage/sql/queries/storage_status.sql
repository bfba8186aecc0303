-- divided: tables that time divides into parts, with their room; compressed rows need the bytes that are said of them
SELECT table_name, count(*)::integer AS parts, count(*) FILTER (WHERE is_compressed)::integer AS compressed_parts,
       min(began) AS began, max(ended) AS ended, sum(row_estimate)::bigint AS rows, sum(bytes)::bigint AS bytes,
       coalesce(sum(row_estimate) FILTER (WHERE is_compressed), 0)::bigint AS compressed_rows,
       coalesce(sum(bytes) FILTER (WHERE is_compressed), 0)::bigint AS compressed_bytes,
       coalesce(sum(bytes_before) FILTER (WHERE is_compressed), 0)::bigint AS compressed_bytes_before
FROM dashboard.storage_part
GROUP BY table_name
ORDER BY sum(bytes) DESC, table_name;

-- whole: the largest of the tables that time does not divide
SELECT table_name, row_estimate AS rows, bytes FROM dashboard.storage_table ORDER BY bytes DESC, table_name LIMIT 10;

-- upkeep: what keeps rollups, columnstore and consumption in order, the latest first
SELECT work, last_success_at, late_by, is_failing, failures FROM dashboard.storage_upkeep ORDER BY late_by DESC, work;

-- database: how much room the whole database takes
SELECT pg_database_size(current_database()) AS bytes;
