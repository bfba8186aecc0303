-- How long what is kept, by organisation, profile and metric; corrections beside raw readings; and roll-ups that are the
-- same tables on every edition, so that both reach them everywhere in the same way (docs/decisions/0053).

-- NULL in a column that names something: whatever it is. The policy that names more decides (retention_of).
CREATE TABLE retention_policy (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text NOT NULL CHECK (what IN ('reading', 'position', 'event', 'contact', 'hourly', 'daily')),
    organisation_id integer REFERENCES organisation ON DELETE CASCADE,
    profile_id integer REFERENCES profile ON DELETE CASCADE,
    metric text CHECK (metric <> ''),
    -- NULL: for ever
    kept_days integer CHECK (kept_days BETWEEN 8 AND 36500),
    CHECK (metric IS NULL OR what IN ('reading', 'hourly', 'daily')),
    UNIQUE NULLS NOT DISTINCT (what, organisation_id, profile_id, metric)
);

-- Who changed what, and why; it outlives what it names.
CREATE TABLE retention_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    author text NOT NULL,
    action text NOT NULL CHECK (action IN ('set', 'remove')),
    what text NOT NULL,
    organisation_id integer,
    organisation text,
    profile text,
    metric text,
    kept_days integer,
    kept_days_before integer,
    reason text NOT NULL
);

-- Before when retention has dropped of a series or device; source 0: of all. What is rolled up of that time is the truer.
CREATE TABLE retention_mark (
    what text NOT NULL,
    source_id integer NOT NULL,
    dropped_before timestamptz NOT NULL,
    PRIMARY KEY (what, source_id)
);

-- How long each series (reading, hourly, daily) or device (position, event, contact) is kept; kept_days NULL: for ever.
CREATE FUNCTION retention_of(default_days integer)
RETURNS TABLE (what text, source_id integer, device_id integer, organisation_id integer, policy_id integer, kept_days integer)
LANGUAGE sql STABLE AS $$
    WITH source (what, source_id, device_id, organisation_id, profile_id, metric) AS (
        SELECT w.what, s.id, d.id, d.organisation_id, d.profile_id, s.metric
        FROM series s JOIN device d ON d.id = s.device_id CROSS JOIN (VALUES ('reading'), ('hourly'), ('daily')) AS w (what)
        UNION ALL
        SELECT w.what, d.id, d.id, d.organisation_id, d.profile_id, NULL
        FROM device d CROSS JOIN (VALUES ('position'), ('event'), ('contact')) AS w (what)
    )
    SELECT s.what, s.source_id, s.device_id, s.organisation_id, p.id,
           CASE WHEN p.id IS NOT NULL THEN p.kept_days WHEN s.what NOT IN ('hourly', 'daily') THEN default_days END
    FROM source s
    LEFT JOIN LATERAL (
        SELECT r.id, r.kept_days FROM retention_policy r
        WHERE r.what = s.what
          AND (r.organisation_id IS NULL OR r.organisation_id = s.organisation_id)
          AND (r.profile_id IS NULL OR r.profile_id = s.profile_id)
          AND (r.metric IS NULL OR r.metric = s.metric)
        -- a metric says more than a profile, and a profile more than an organisation
        ORDER BY r.metric IS NULL, r.profile_id IS NULL, r.organisation_id IS NULL LIMIT 1
    ) p ON true
$$;

-- From when on an open alert or a back-test that is not over needs what a device said; no row: it is not needed.
CREATE VIEW retention_hold AS
SELECT h.device_id, min(h.since) AS since
FROM (
    -- a day before it opened: what an explanation shows before the beginning
    SELECT d.id AS device_id, a.opened_at - interval '1 day' AS since
    FROM alert a JOIN device d ON d.id = a.device_id OR (a.device_id IS NULL AND d.organisation_id = a.organisation_id)
    WHERE a.state IN ('pending', 'firing')
    UNION ALL
    SELECT d.id, '-infinity'::timestamptz
    FROM backtest b JOIN device d ON b.organisation_id IS NULL OR d.organisation_id = b.organisation_id
    WHERE b.finished_at IS NULL
) h
GROUP BY h.device_id;

-- The newest word on a reading counts; withdrawn: the raw value counts again, or none.
ALTER TABLE validated_reading ADD COLUMN withdrawn boolean NOT NULL DEFAULT false,
    ADD COLUMN superseded boolean NOT NULL DEFAULT false,
    ADD CHECK (value > '-Infinity' AND value < 'Infinity');
CREATE UNIQUE INDEX validated_reading_newest ON validated_reading (series_id, observed_at) WHERE NOT superseded;

CREATE VIEW correction AS
SELECT v.series_id, v.observed_at, v.version, v.value, v.method, v.rule, v.author, v.reason, v.created_at
FROM validated_reading v
WHERE NOT v.superseded AND NOT v.withdrawn;

-- What counts: corrections in place of raw values, estimates where there is none. raw_value NULL: an estimate.
CREATE VIEW reading_validated AS
SELECT r.observed_at, r.series_id, coalesce(c.value, r.value) AS value,
       -- a corrected value was judged by who corrected it: not implausible any more (Quality.IMPLAUSIBLE, 4)
       CASE WHEN c.series_id IS NULL THEN r.quality ELSE (r.quality & ~4)::smallint END AS quality,
       r.received_at, r.value AS raw_value, c.series_id IS NOT NULL AS is_corrected, c.method, c.author, c.reason
FROM reading r
LEFT JOIN correction c ON c.series_id = r.series_id AND c.observed_at = r.observed_at
UNION ALL
SELECT c.observed_at, c.series_id, c.value, 0::smallint, c.created_at, NULL, true, c.method, c.author, c.reason
FROM correction c
WHERE NOT EXISTS (SELECT FROM reading r WHERE r.series_id = c.series_id AND r.observed_at = c.observed_at);

-- Hours that are to be rolled up again though the log says nothing of them: corrected, or loaded past the log.
CREATE TABLE rollup_due (
    series_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    PRIMARY KEY (series_id, bucket)
);

CREATE TABLE consumption_daily_rollup (
    bucket timestamptz NOT NULL,
    series_id integer NOT NULL,
    amount double precision NOT NULL,
    excess double precision NOT NULL,
    codes integer NOT NULL,
    readings integer NOT NULL,
    PRIMARY KEY (series_id, bucket)
) /*partition:bucket*/;

-- Parts of a table that time divides: months, or chunks of TimescaleDB.
DO $do$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'reading_raw'::regclass) = 'p' THEN
        PERFORM ensure_partition('consumption_daily_rollup', m.month)
        FROM (SELECT DISTINCT date_trunc('month', bucket, 'UTC') AS month FROM consumption_hourly_rollup) m;
        CREATE FUNCTION parts_of(parent regclass) RETURNS TABLE (part regclass, began timestamptz, ended timestamptz)
        LANGUAGE sql STABLE AS $$
            SELECT c.oid::regclass, m.began, m.began + interval '1 month'
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            CROSS JOIN LATERAL (SELECT to_timestamp(right(c.relname, 6) || '+00', 'YYYYMMTZH') AS began) m
            WHERE i.inhparent = parent
        $$;
        CREATE FUNCTION drop_part(parent regclass, dropped regclass) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('DROP TABLE %s', dropped);
        END;
        $$;
    ELSE
        PERFORM create_hypertable('consumption_daily_rollup', 'bucket', chunk_time_interval => interval '2 years',
                                  create_default_indexes => false);
        CREATE FUNCTION parts_of(parent regclass) RETURNS TABLE (part regclass, began timestamptz, ended timestamptz)
        LANGUAGE sql STABLE AS $$
            SELECT format('%I.%I', k.chunk_schema, k.chunk_name)::regclass, k.range_start, k.range_end
            FROM timescaledb_information.chunks k
            WHERE format('%I.%I', k.hypertable_schema, k.hypertable_name)::regclass = parent
        $$;
        CREATE FUNCTION drop_part(parent regclass, dropped regclass) RETURNS void LANGUAGE sql AS $$
            SELECT drop_chunks(parent, older_than => p.ended, newer_than => p.began) FROM parts_of(parent) p WHERE p.part = dropped
        $$;
    END IF;
END;
$do$;

CREATE FUNCTION lock_part(part regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
END;
$$;

-- Delete what some series or devices said in a stretch, and count the rows. Where the stretch covers segments of a
-- columnstore, those go unopened: the source is what it is segmented by, and bounds of time are all else that is asked.
CREATE FUNCTION delete_stretch(parent regclass, source_column name, time_column name, source_ids integer[],
                               since timestamptz, until timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    one integer;
    found bigint;
    deleted bigint := 0;
BEGIN
    FOREACH one IN ARRAY source_ids LOOP
        EXECUTE format('DELETE FROM %s WHERE %I = %s AND %I >= %L AND %I < %L',
                       parent, source_column, one, time_column, since, time_column, until);
        GET DIAGNOSTICS found = ROW_COUNT;
        deleted := deleted + found;
    END LOOP;
    RETURN deleted;
END;
$$;

-- On the community edition roll-ups were continuous aggregates: those know nothing of corrections, and a refresh empties
-- them where raw readings of one series are gone.
DO $do$
BEGIN
    IF to_regclass('reading_hourly_aggregate') IS NULL THEN
        RETURN;
    END IF;
    CREATE TABLE reading_hourly_rollup (
        bucket timestamptz NOT NULL,
        series_id integer NOT NULL,
        count bigint NOT NULL,
        minimum double precision NOT NULL,
        maximum double precision NOT NULL,
        total double precision NOT NULL,
        first double precision NOT NULL,
        last double precision NOT NULL,
        PRIMARY KEY (series_id, bucket)
    );
    CREATE TABLE reading_daily_rollup (LIKE reading_hourly_rollup, PRIMARY KEY (series_id, bucket));
    PERFORM create_hypertable('reading_hourly_rollup', 'bucket', chunk_time_interval => interval '90 days',
                              create_default_indexes => false);
    PERFORM create_hypertable('reading_daily_rollup', 'bucket', chunk_time_interval => interval '2 years',
                              create_default_indexes => false);
    -- These also hold what raw readings no longer tell. Nobody waits for it: the tables are new.
    INSERT INTO reading_hourly_rollup
    SELECT bucket, series_id, count, minimum, maximum, total, first, last FROM reading_hourly_aggregate;
    INSERT INTO reading_daily_rollup
    SELECT bucket, series_id, count, minimum, maximum, total, first, last FROM reading_daily_aggregate;
    CREATE OR REPLACE VIEW reading_hourly AS
    SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_hourly_rollup;
    CREATE OR REPLACE VIEW reading_daily AS
    SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_daily_rollup;
    DROP MATERIALIZED VIEW reading_daily_aggregate;
    DROP MATERIALIZED VIEW reading_hourly_aggregate;
    ALTER TABLE reading_hourly_rollup SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
                                           timescaledb.compress_orderby = 'bucket');
    ALTER TABLE consumption_hourly_rollup SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
                                               timescaledb.compress_orderby = 'bucket');
    PERFORM add_compression_policy('reading_hourly_rollup', compress_after => interval '90 days');
    PERFORM add_compression_policy('consumption_hourly_rollup', compress_after => interval '90 days');
    -- What the log still holds may be in the aggregates or not: it is rolled up again.
    DELETE FROM log_cursor WHERE consumer = 'rollups';
END;
$do$;
DROP FUNCTION bound_rollups(interval);
DROP FUNCTION drop_partitions_before(regclass, timestamptz);

INSERT INTO consumption_daily_rollup
SELECT bucket(interval '1 day', bucket), series_id, sum(amount), sum(excess), bit_or(codes), sum(readings)::integer
FROM consumption_hourly_rollup
GROUP BY 1, 2;
CREATE OR REPLACE VIEW consumption_daily AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings
FROM consumption_daily_rollup c
JOIN series s ON s.id = c.series_id AND s.kind = 'counter';

-- What storage status shows, with the new tables.
DO $do$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'reading_raw'::regclass) = 'p' THEN
        CREATE OR REPLACE FUNCTION storage_parts()
        RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
                       bytes_before bigint, is_compressed boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.shown, c.relname::text, m.began, m.began + interval '1 month',
                   greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint,
                   pg_total_relation_size(c.oid), pg_total_relation_size(c.oid), false
            FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'), ('contact', 'contact'),
                         ('reading_hourly', 'reading_hourly_rollup'), ('reading_daily', 'reading_daily_rollup'),
                         ('consumption_hourly', 'consumption_hourly_rollup'),
                         ('consumption_daily', 'consumption_daily_rollup')) AS t (shown, parent)
            JOIN pg_inherits i ON i.inhparent = t.parent::regclass
            JOIN pg_class c ON c.oid = i.inhrelid
            CROSS JOIN LATERAL (SELECT to_timestamp(right(c.relname, 6) || '+00', 'YYYYMMTZH') AS began) m
        $$;
    ELSIF EXISTS (SELECT FROM timescaledb_information.hypertables
                  WHERE hypertable_name = 'reading_raw' AND compression_enabled) THEN
        CREATE OR REPLACE FUNCTION storage_parts()
        RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
                       bytes_before bigint, is_compressed boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            WITH shown (table_name, home, name) AS (
                SELECT t.shown, 'public'::name, t.parent::name
                FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'),
                             ('contact', 'contact'), ('reading_hourly', 'reading_hourly_rollup'),
                             ('reading_daily', 'reading_daily_rollup'), ('consumption_hourly', 'consumption_hourly_rollup'),
                             ('consumption_daily', 'consumption_daily_rollup')) AS t (shown, parent)
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
    ELSE
        CREATE OR REPLACE FUNCTION storage_parts()
        RETURNS TABLE (table_name text, part text, began timestamptz, ended timestamptz, row_estimate bigint, bytes bigint,
                       bytes_before bigint, is_compressed boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT t.shown, k.chunk_name::text, k.range_start, k.range_end,
                   greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint,
                   pg_total_relation_size(c.oid), pg_total_relation_size(c.oid), false
            FROM (VALUES ('reading', 'reading_raw'), ('position', 'position_raw'), ('event', 'event_raw'), ('contact', 'contact'),
                         ('reading_hourly', 'reading_hourly_rollup'), ('reading_daily', 'reading_daily_rollup'),
                         ('consumption_hourly', 'consumption_hourly_rollup'),
                         ('consumption_daily', 'consumption_daily_rollup')) AS t (shown, parent)
            JOIN timescaledb_information.chunks k ON k.hypertable_schema = 'public' AND k.hypertable_name = t.parent
            JOIN pg_class c ON c.oid = format('%I.%I', k.chunk_schema, k.chunk_name)::regclass
        $$;
    END IF;
END;
$do$;

CREATE OR REPLACE VIEW dashboard.storage_table WITH (security_barrier) AS
SELECT c.relname::text AS table_name, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint AS row_estimate,
       pg_total_relation_size(c.oid) AS bytes
FROM pg_class c
WHERE (SELECT everything FROM public.dashboard_reader)
  AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
  AND c.relname NOT IN ('reading_raw', 'position_raw', 'event_raw', 'contact', 'reading_hourly_rollup',
                        'reading_daily_rollup', 'consumption_hourly_rollup', 'consumption_daily_rollup');
