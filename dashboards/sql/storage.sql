-- total: room of the whole database
SELECT pg_database_size(current_database()) AS bytes

-- bytes_per_reading: what a raw reading takes, with its index
SELECT sum(bytes)::double precision / nullif(sum(row_estimate), 0) AS bytes
FROM dashboard.storage_part
WHERE table_name = 'reading'

-- compressed: share of the raw readings that are compressed
SELECT coalesce(sum(row_estimate) FILTER (WHERE is_compressed), 0)::double precision / nullif(sum(row_estimate), 0) AS share
FROM dashboard.storage_part
WHERE table_name = 'reading'

-- latest_work: how late the latest upkeep is
SELECT extract(epoch FROM max(late_by))::double precision AS seconds FROM dashboard.storage_upkeep

-- growth: room of telemetry by the beginning of its month or chunk
SELECT greatest(began, $__timeFrom()) AS time,
       sum(bytes) FILTER (WHERE table_name = 'reading') AS readings,
       sum(bytes) FILTER (WHERE table_name = 'position') AS positions,
       sum(bytes) FILTER (WHERE table_name = 'event') AS events,
       sum(bytes) FILTER (WHERE table_name = 'contact') AS contacts
FROM dashboard.storage_part
WHERE table_name IN ('reading', 'position', 'event', 'contact') AND ended > $__timeFrom() AND began <= $__timeTo()
GROUP BY 1
ORDER BY 1

-- upkeep: what keeps storage in order, the latest first
SELECT work,
       CASE WHEN is_failing THEN 'failing' WHEN late_by > interval '15 minutes' THEN 'late' ELSE 'well' END AS state,
       last_success_at, extract(epoch FROM late_by)::double precision AS late_seconds, failures
FROM dashboard.storage_upkeep
ORDER BY late_by DESC NULLS LAST, work

-- divided: tables that time divides, the largest first
SELECT table_name, sum(row_estimate) AS rows, sum(bytes) AS bytes,
       sum(bytes)::double precision / nullif(sum(row_estimate), 0) AS bytes_per_row,
       sum(bytes) FILTER (WHERE is_compressed)::double precision
           / nullif(sum(row_estimate) FILTER (WHERE is_compressed), 0) AS compressed_bytes_per_row,
       count(*) AS parts, min(began) AS began, max(ended) AS ended
FROM dashboard.storage_part
GROUP BY table_name
ORDER BY sum(bytes) DESC, table_name

-- whole: the largest of the other tables
SELECT table_name, row_estimate AS rows, bytes FROM dashboard.storage_table ORDER BY bytes DESC, table_name LIMIT 20
