-- TimescaleDB, community licence: hourly and daily rollups as continuous aggregates, up to date to the latest reading.
CREATE FUNCTION bucket(width interval, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT time_bucket(width, at) $$;

-- Implausible values (veldwatch.model.telemetry.Quality.IMPLAUSIBLE, 4) stay out: one sentinel would be the minimum.
CREATE MATERIALIZED VIEW reading_hourly_aggregate
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(interval '1 hour', observed_at) AS bucket, series_id, count(*) AS count,
       min(value) AS minimum, max(value) AS maximum, sum(value) AS total,
       first(value, observed_at) AS first, last(value, observed_at) AS last
FROM reading_raw
WHERE quality & 4 = 0
GROUP BY 1, 2
WITH NO DATA;

CREATE MATERIALIZED VIEW reading_daily_aggregate
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket(interval '1 day', bucket) AS bucket, series_id, sum(count) AS count,
       min(minimum) AS minimum, max(maximum) AS maximum, sum(total) AS total,
       first(first, bucket) AS first, last(last, bucket) AS last
FROM reading_hourly_aggregate
GROUP BY 1, 2
WITH NO DATA;

-- No start: a reading that comes years late still renews its bucket.
SELECT add_continuous_aggregate_policy('reading_hourly_aggregate', start_offset => NULL,
    end_offset => interval '1 hour', schedule_interval => interval '5 minutes');
SELECT add_continuous_aggregate_policy('reading_daily_aggregate', start_offset => NULL,
    end_offset => interval '1 day', schedule_interval => interval '1 hour');

CREATE VIEW reading_hourly AS
SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_hourly_aggregate;

CREATE VIEW reading_daily AS
SELECT bucket, series_id, count::bigint AS count, minimum, maximum, total / count AS average, first, last
FROM reading_daily_aggregate;

-- Before raw readings older than that are dropped: a refresh must not reach back there any more, or a single reading that
-- comes late would put itself in the place of a whole bucket. NULL: it may reach back to the beginning.
CREATE FUNCTION bound_rollups(kept interval) RETURNS void LANGUAGE sql AS $$
    SELECT alter_job(job_id, config => jsonb_set(config, '{start_offset}', coalesce(to_jsonb(kept), 'null')))
    FROM timescaledb_information.jobs
    WHERE proc_name = 'policy_refresh_continuous_aggregate'
      AND config -> 'start_offset' IS DISTINCT FROM coalesce(to_jsonb(kept), 'null');
$$;
