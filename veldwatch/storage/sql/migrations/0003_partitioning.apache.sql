-- TimescaleDB, Apache licence: hypertables; nothing to prepare before a write.
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
