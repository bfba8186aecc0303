-- TimescaleDB, community licence: hypertables with columnstore; nothing to prepare before a write.
-- No default index on time alone: each row would pay for it, and chunks exclude by time already.
SELECT create_hypertable('reading_raw', 'observed_at', chunk_time_interval => interval '7 days',
                         create_default_indexes => false);
SELECT create_hypertable('position_raw', 'observed_at', chunk_time_interval => interval '30 days',
                         create_default_indexes => false);
SELECT create_hypertable('event_raw', 'observed_at', chunk_time_interval => interval '30 days',
                         create_default_indexes => false);
SELECT create_hypertable('contact', 'received_at', chunk_time_interval => interval '7 days',
                         create_default_indexes => false);

CREATE FUNCTION ensure_partition(parent regclass, at timestamptz) RETURNS void LANGUAGE sql AS $$ SELECT $$;

-- Whole chunks before a time: what retention may drop.
CREATE FUNCTION drop_partitions_before(parent regclass, before timestamptz) RETURNS integer LANGUAGE sql AS
$$ SELECT count(*)::integer FROM drop_chunks(parent, older_than => before) $$;

-- The old names of these settings (before 2.18) are understood by all versions.
ALTER TABLE reading_raw SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
                             timescaledb.compress_orderby = 'observed_at');
ALTER TABLE position_raw SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',
                              timescaledb.compress_orderby = 'observed_at');
ALTER TABLE contact SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',
                         timescaledb.compress_orderby = 'received_at');
SELECT add_compression_policy('reading_raw', compress_after => interval '7 days');
SELECT add_compression_policy('position_raw', compress_after => interval '30 days');
SELECT add_compression_policy('contact', compress_after => interval '7 days');
