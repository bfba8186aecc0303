-- TimescaleDB, community licence: hypertables with columnstore; nothing to prepare before a write.
SELECT create_hypertable('reading_raw', 'observed_at', chunk_time_interval => interval '7 days');
SELECT create_hypertable('position_raw', 'observed_at', chunk_time_interval => interval '30 days');
SELECT create_hypertable('event_raw', 'observed_at', chunk_time_interval => interval '30 days');
SELECT create_hypertable('contact', 'received_at', chunk_time_interval => interval '7 days');
CREATE FUNCTION ensure_partition(parent regclass, at timestamptz) RETURNS void LANGUAGE sql AS $$ SELECT $$;
