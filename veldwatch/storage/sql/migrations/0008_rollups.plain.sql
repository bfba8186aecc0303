-- Plain PostgreSQL: hourly and daily rollups in tables that the maintenance job keeps up from the log.
-- Width: fixed (weeks at most), not months; weeks begin on Monday, as with TimescaleDB's time_bucket.
CREATE FUNCTION bucket(width interval, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT date_bin(width, at, TIMESTAMPTZ '2000-01-03 00:00:00+00') $$;

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
) PARTITION BY RANGE (bucket);

CREATE TABLE reading_daily_rollup (LIKE reading_hourly_rollup, PRIMARY KEY (series_id, bucket))
PARTITION BY RANGE (bucket);

CREATE VIEW reading_hourly AS
SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_hourly_rollup;

CREATE VIEW reading_daily AS
SELECT bucket, series_id, count, minimum, maximum, total / count AS average, first, last FROM reading_daily_rollup;

-- Before raw readings older than that are dropped: these rollups never shrink (see renew_hourly), so nothing is to do.
CREATE FUNCTION bound_rollups(kept interval) RETURNS void LANGUAGE sql AS $$ SELECT $$;
