-- TimescaleDB, Apache licence: hourly and daily rollups in hypertables that the maintenance job keeps up from the log.
CREATE FUNCTION bucket(width interval, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT time_bucket(width, at) $$;

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
SELECT create_hypertable('reading_hourly_rollup', 'bucket', chunk_time_interval => interval '90 days',
                         create_default_indexes => false);
SELECT create_hypertable('reading_daily_rollup', 'bucket', chunk_time_interval => interval '2 years',
                         create_default_indexes => false);

CREATE VIEW reading_hourly AS
SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_hourly_rollup;

CREATE VIEW reading_daily AS
SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_daily_rollup;

-- Before raw readings older than that are dropped: these rollups never shrink (see renew_hourly), so nothing is to do.
CREATE FUNCTION bound_rollups(kept interval) RETURNS void LANGUAGE sql AS $$ SELECT $$;
