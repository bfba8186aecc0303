-- What registers counted, hour by hour, judged by the maintenance job (veldwatch/storage/consumption_rollups.py); how
-- fast a register can count and in what steps.
ALTER TABLE profile_metric
    -- the smallest step of a counter, in its unit; NULL: not known
    ADD COLUMN resolution double precision CHECK (resolution > 0),
    -- the most that a counter can count in an hour, in its unit; NULL: not known
    ADD COLUMN maximum_per_hour double precision CHECK (maximum_per_hour > 0);

CREATE TABLE consumption_hourly_rollup (
    bucket timestamptz NOT NULL,
    series_id integer NOT NULL,
    amount double precision NOT NULL CHECK (amount >= 0),
    -- beyond what can flow; never part of the amount
    excess double precision NOT NULL CHECK (excess >= 0),
    -- veldwatch.model.consumption.Code
    codes integer NOT NULL,
    -- that ended in the hour; it is judged again only with as many at least: retention drops readings, not this
    readings integer NOT NULL,
    -- where the fold stood at the hour's end: it is taken up from here
    level double precision NOT NULL,
    level_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (series_id, bucket)
) /*partition:bucket*/;

DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'consumption_hourly_rollup'::regclass) = 'r' THEN
        PERFORM create_hypertable('consumption_hourly_rollup', 'bucket', chunk_time_interval => interval '90 days',
                                  create_default_indexes => false);
    END IF;
END;
$$;

CREATE VIEW consumption_hourly AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings
FROM consumption_hourly_rollup c
JOIN series s ON s.id = c.series_id AND s.kind = 'counter';

CREATE VIEW consumption_daily AS
SELECT bucket(interval '1 day', h.bucket) AS bucket, h.series_id, sum(h.amount) AS amount, sum(h.excess) AS excess,
       bit_or(h.codes) AS codes, sum(h.readings)::integer AS readings
FROM consumption_hourly h
GROUP BY 1, 2;

-- Series whose whole history is to be judged again, because what is known of the register changed.
CREATE TABLE consumption_due (
    series_id integer PRIMARY KEY REFERENCES series ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO consumption_due (series_id) SELECT id FROM series WHERE kind = 'counter';

CREATE FUNCTION judge_again(ids integer[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO consumption_due (series_id) SELECT DISTINCT id FROM unnest(ids) AS t (id) ORDER BY id
    ON CONFLICT (series_id) DO UPDATE SET since = clock_timestamp()
$$;

CREATE FUNCTION judge_series_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM judge_again(ARRAY[NEW.id]);
    RETURN NULL;
END;
$$;
CREATE TRIGGER series_consumption AFTER UPDATE OF kind, register_modulus ON series FOR EACH ROW
    WHEN ((OLD.kind, OLD.register_modulus) IS DISTINCT FROM (NEW.kind, NEW.register_modulus) AND NEW.kind = 'counter')
    EXECUTE FUNCTION judge_series_again();

CREATE FUNCTION judge_device_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM judge_again(ARRAY(SELECT s.id FROM series s WHERE s.kind = 'counter' AND s.device_id = NEW.id));
    RETURN NULL;
END;
$$;
CREATE TRIGGER device_consumption AFTER UPDATE OF profile_id ON device FOR EACH ROW
    WHEN (OLD.profile_id IS DISTINCT FROM NEW.profile_id) EXECUTE FUNCTION judge_device_again();

CREATE FUNCTION judge_deployed_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM judge_again(ARRAY(SELECT s.id FROM series s
                              WHERE s.kind = 'counter' AND s.device_id = coalesce(NEW.device_id, OLD.device_id)));
    RETURN NULL;
END;
$$;
CREATE TRIGGER deployment_consumption AFTER INSERT OR UPDATE OR DELETE ON deployment FOR EACH ROW
    EXECUTE FUNCTION judge_deployed_again();

CREATE FUNCTION judge_profile_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM judge_again(ARRAY(SELECT s.id FROM series s JOIN device d ON d.id = s.device_id
                              WHERE s.kind = 'counter' AND d.profile_id = NEW.id));
    RETURN NULL;
END;
$$;
CREATE TRIGGER profile_consumption AFTER UPDATE OF expected_interval ON profile FOR EACH ROW
    WHEN (OLD.expected_interval IS DISTINCT FROM NEW.expected_interval) EXECUTE FUNCTION judge_profile_again();

CREATE FUNCTION judge_metric_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM judge_again(ARRAY(SELECT s.id FROM series s JOIN device d ON d.id = s.device_id
                              WHERE s.kind = 'counter' AND d.profile_id = NEW.profile_id AND s.metric = NEW.metric));
    RETURN NULL;
END;
$$;
CREATE TRIGGER profile_metric_consumption AFTER UPDATE OF resolution, maximum_per_hour ON profile_metric FOR EACH ROW
    WHEN ((OLD.resolution, OLD.maximum_per_hour) IS DISTINCT FROM (NEW.resolution, NEW.maximum_per_hour))
    EXECUTE FUNCTION judge_metric_again();
CREATE TRIGGER profile_metric_consumption_new AFTER INSERT ON profile_metric FOR EACH ROW
    WHEN (NEW.resolution IS NOT NULL OR NEW.maximum_per_hour IS NOT NULL) EXECUTE FUNCTION judge_metric_again();

CREATE VIEW dashboard.consumption_hourly WITH (security_barrier) AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings FROM public.consumption_hourly c;

CREATE VIEW dashboard.consumption_daily WITH (security_barrier) AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings FROM public.consumption_daily c;

-- What registers counted in each bucket, never finer than an hour: days and longer begin at midnight of the zone (to the
-- hour). An hour of which nothing is known has no row.
DROP FUNCTION dashboard.consumption(integer[], timestamptz, timestamptz, bigint);
CREATE FUNCTION dashboard.consumption(wanted integer[], since timestamptz, until timestamptz, bucket_ms bigint,
                                      zone text DEFAULT 'UTC')
RETURNS TABLE (bucket timestamptz, series_id integer, consumption double precision, excess double precision,
               codes integer)
LANGUAGE plpgsql STABLE ROWS 5000 AS $$
DECLARE
    width interval := make_interval(secs => greatest(bucket_ms, 3600000) / 1000.0);
BEGIN
    RETURN QUERY
    SELECT greatest(CASE WHEN bucket_ms >= 86400000
                         THEN date_bin(width, h.bucket AT TIME ZONE zone, '2000-01-01') AT TIME ZONE zone
                         ELSE date_bin(width, h.bucket, '2000-01-01T00:00:00Z') END, since),
           h.series_id, sum(h.amount), sum(h.excess), bit_or(h.codes)
    FROM dashboard.consumption_hourly h
    WHERE h.series_id = ANY (wanted) AND h.bucket >= date_bin('1 hour', since, '2000-01-01T00:00:00Z') AND h.bucket <= until
    GROUP BY 1, 2
    ORDER BY 1, 2;
END;
$$;

-- Default privileges cover the new views only for who set them.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        PERFORM grant_dashboards('grafana_ro');
    END IF;
END;
$$;
