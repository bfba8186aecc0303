-- One query layer for pictures of readings, for API, console and Grafana: how fine, and from which table; 0059 makes the
-- points themselves. docs/explanation/resolution.md says what it does, docs/decisions/0050-one-query-layer.md why.
-- The same text is made twice, so that each reads the views of its own schema with its caller's rights: public for the
-- API, dashboard for Grafana's roles, whose views leave out what the role may not see.
CREATE VIEW series_interval AS
SELECT s.id AS series_id, p.expected_interval
FROM series s
JOIN device d ON d.id = s.device_id
LEFT JOIN profile p ON p.id = d.profile_id;

CREATE VIEW dashboard.series_interval WITH (security_barrier) AS
SELECT s.id AS series_id, s.expected_interval FROM dashboard.series s;

DO $make$
DECLARE
    schema_name text;
    functions CONSTANT text := $functions$

-- The narrowest width of buckets that is at least so wide: what people read off a clock or a calendar, and all that
-- Grafana asks for from a second on.
CREATE FUNCTION here.nice_step(least_step interval) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    SELECT coalesce(
        (SELECT s.step FROM unnest(ARRAY[
             '1 second', '2 seconds', '5 seconds', '10 seconds', '15 seconds', '20 seconds', '30 seconds',
             '1 minute', '2 minutes', '5 minutes', '10 minutes', '15 minutes', '20 minutes', '30 minutes',
             '1 hour', '2 hours', '3 hours', '6 hours', '12 hours', '1 day', '2 days', '7 days', '30 days'
         ]::interval[]) AS s (step) WHERE s.step >= least_step ORDER BY s.step LIMIT 1),
        '365 days'::interval)
$body$;

-- How to draw a window: from which table, in buckets how wide, and in whose days. Pure: nothing but its arguments.
--   points: how many buckets the picture has room for; series: how many lines it has;
--   per_hour: how many readings an hour of all of them holds, about; singles: whether single readings are wanted.
-- Raw readings while a bucket is shorter than an hour, unless there are more of them than one picture can be made of in
-- time (100,000 take about a tenth of a second): then hours. Hours while a bucket is shorter than a day, unless there are more
-- of them than that (300,000 take about as long as anybody waits): then days. Days are stored as UTC's, so those of another zone
-- are made of hours while that is affordable; else they are UTC's, and the answer says so.
CREATE FUNCTION here.resolution(since timestamptz, until timestamptz, points integer, series integer,
                                per_hour double precision, wanted_zone text DEFAULT 'UTC',
                                singles boolean DEFAULT false)
RETURNS TABLE (source text, step interval, zone text)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$
    WITH asked AS (
        SELECT here.nice_step(make_interval(secs => greatest(extract(epoch FROM until - since) / greatest(points, 1), 1)))
                   AS step,
               greatest(extract(epoch FROM until - since) / 3600, 0)::double precision AS hours
    ), chosen AS (
        SELECT a.step, a.hours,
               CASE WHEN (singles OR a.step < interval '1 hour') AND a.hours * per_hour <= 100000 THEN 'raw'
                    WHEN a.step < interval '1 day' AND a.hours * series <= 300000 THEN 'hour'
                    WHEN wanted_zone <> 'UTC' AND a.hours * series <= 60000 THEN 'hour'
                    ELSE 'day' END AS source
        FROM asked a
    )
    SELECT c.source, greatest(c.step, CASE c.source WHEN 'hour' THEN interval '1 hour' WHEN 'day' THEN interval '1 day' END),
           CASE WHEN c.source = 'day' THEN 'UTC' ELSE wanted_zone END
    FROM chosen c
$body$;

-- The start of the bucket that holds a time. From two hours on buckets follow the clock of the zone, weeks begin on
-- Monday; shorter ones are the same in every zone, but for halves of hours.
CREATE FUNCTION here.bucket_of(at timestamptz, step interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN zone = 'UTC' OR step <= interval '1 hour' THEN date_bin(step, at, '2000-01-03T00:00:00Z')
                ELSE date_bin(step, at AT TIME ZONE zone, '2000-01-03') AT TIME ZONE zone END
$body$;

-- Where a bucket that begins at a time ends; a day of a clock change has 23 or 25 hours.
CREATE FUNCTION here.bucket_end(at timestamptz, step interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN zone = 'UTC' OR step <= interval '1 hour' THEN at + step
                ELSE ((at AT TIME ZONE zone) + step) AT TIME ZONE zone END
$body$;

-- The resolution for some series: as many readings an hour as their profiles expect, or as their newest day held.
CREATE FUNCTION here.resolution_for(wanted integer[], since timestamptz, until timestamptz, points integer,
                                    wanted_zone text DEFAULT 'UTC', singles boolean DEFAULT false)
RETURNS TABLE (source text, step interval, zone text)
LANGUAGE plpgsql STABLE ROWS 1 AS $body$
DECLARE
    expected double precision;
    others integer[];
    measured double precision;
BEGIN
    SELECT sum(3600 / extract(epoch FROM i.expected_interval)) FILTER (WHERE i.expected_interval > interval '0'),
           array_agg(i.series_id) FILTER (WHERE coalesce(i.expected_interval, interval '0') <= interval '0')
    INTO expected, others
    FROM here.series_interval i WHERE i.series_id = ANY (wanted);
    IF cardinality(others) > 0 THEN
        EXECUTE $query$
            SELECT sum(m.readings) FROM (
                SELECT avg(h.count) AS readings FROM here.reading_hourly h
                WHERE h.series_id = ANY ($1) AND h.bucket >= $2 AND h.bucket < $3 GROUP BY h.series_id
            ) m
        $query$ INTO measured USING others, greatest(since, until - interval '1 day'), until;
        -- Nothing is known: a reading each minute.
        measured := coalesce(measured, 60 * cardinality(others));
    END IF;
    RETURN QUERY SELECT * FROM here.resolution(since, until, points, cardinality(wanted),
                                               coalesce(expected, 0) + coalesce(measured, 0), wanted_zone, singles);
END;
$body$;

-- Days (UTC) of some series, from the rollup, and from hours where the rollup has not been yet.
CREATE FUNCTION here.day_cells(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (bucket timestamptz, series_id integer, readings bigint, average double precision,
               minimum double precision, maximum double precision, last double precision)
LANGUAGE plpgsql STABLE ROWS 5000 AS $body$
DECLARE
    newest timestamptz;
BEGIN
    EXECUTE 'SELECT max(y.bucket) FROM here.reading_daily y'
            ' WHERE y.series_id = ANY ($1) AND y.bucket >= $2 AND y.bucket < $3'
    INTO newest USING wanted, since, until;
    RETURN QUERY EXECUTE $query$
        WITH stored AS MATERIALIZED (
            SELECT y.bucket, y.series_id, y.count, y.average, y.minimum, y.maximum, y.last
            FROM here.reading_daily y
            WHERE y.series_id = ANY ($1) AND y.bucket >= $2 AND y.bucket < $3
        ), fresh AS MATERIALIZED (
            SELECT date_bin('1 day', h.bucket, '2000-01-03T00:00:00Z') AS bucket, h.series_id,
                   sum(h.readings)::bigint AS count, sum(h.average * h.readings) / sum(h.readings::double precision) AS average,
                   min(h.minimum) AS minimum, max(h.maximum) AS maximum,
                   (array_agg(h.last ORDER BY h.bucket DESC))[1] AS last
            FROM here.hour_cells($1, $4, $3) h
            GROUP BY 1, 2
        )
        SELECT DISTINCT ON (k.series_id, k.bucket) k.bucket, k.series_id, k.count, k.average, k.minimum, k.maximum, k.last
        FROM (
            SELECT t.bucket, t.series_id, t.count, t.average, t.minimum, t.maximum, t.last, 0 AS place FROM stored t
            UNION ALL
            SELECT f.bucket, f.series_id, f.count, f.average, f.minimum, f.maximum, f.last, 1 FROM fresh f
        ) k
        ORDER BY k.series_id, k.bucket, k.count DESC, k.place
    $query$ USING wanted, since, until, greatest(newest, since);
END;
$body$;

-- What registers counted in each bucket of a window, never finer than an hour and never negative; the last row of a
-- series is as new as maintenance's last look. An hour of which nothing is known has no row. Whole days of UTC come from the
-- days that maintenance keeps, what is before the first and after the last of them from hours.
CREATE FUNCTION here.consumption_window(wanted integer[], since timestamptz, until timestamptz, step interval,
                                        zone text DEFAULT 'UTC')
RETURNS TABLE (series_id integer, bucket timestamptz, ends timestamptz, amount double precision,
               excess double precision, codes integer, readings bigint)
LANGUAGE plpgsql STABLE ROWS 5000 AS $body$
DECLARE
    by_day CONSTANT boolean := zone = 'UTC' AND step >= interval '1 day';
    first_hour CONSTANT timestamptz := date_bin('1 hour', since, '2000-01-03T00:00:00Z');
    first_day CONSTANT timestamptz := CASE WHEN by_day THEN least(date_trunc('day', first_hour - interval '1 microsecond', 'UTC')
                                                                  + interval '1 day', until) ELSE until END;
    last_day CONSTANT timestamptz := CASE WHEN by_day THEN greatest(date_trunc('day', until, 'UTC'), first_day) ELSE until END;
BEGIN
    RETURN QUERY EXECUTE $query$
        SELECT b.series_id, b.bucket, here.bucket_end(b.bucket, $4, $5), b.amount, b.excess, b.codes, b.readings
        FROM (
            SELECT h.series_id, here.bucket_of(h.bucket, $4, $5) AS bucket, sum(h.amount) AS amount,
                   sum(h.excess) AS excess, bit_or(h.codes) AS codes, sum(h.readings)::bigint AS readings
            FROM (
                SELECT e.series_id, e.bucket, e.amount, e.excess, e.codes, e.readings FROM here.consumption_hourly e
                WHERE e.series_id = ANY ($1) AND e.bucket >= $2 AND e.bucket < $6
                UNION ALL
                SELECT y.series_id, y.bucket, y.amount, y.excess, y.codes, y.readings FROM here.consumption_daily y
                WHERE y.series_id = ANY ($1) AND y.bucket >= $6 AND y.bucket < $7
                UNION ALL
                SELECT l.series_id, l.bucket, l.amount, l.excess, l.codes, l.readings FROM here.consumption_hourly l
                WHERE l.series_id = ANY ($1) AND l.bucket >= $7 AND l.bucket < $3
            ) h
            GROUP BY 1, 2
        ) b
        ORDER BY 1, 2
    $query$ USING wanted, first_hour, until, greatest(step, interval '1 hour'), zone, first_day, last_day;
END;
$body$;

$functions$;
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['public', 'dashboard'] LOOP
        EXECUTE replace(functions, 'here.', schema_name || '.');
    END LOOP;
END;
$make$;

-- What panels read, by name and columns as before: the width that Grafana asks for, from the table that suits it. In no
-- order: each panel has its own.
CREATE OR REPLACE FUNCTION dashboard.readings(wanted integer[], since timestamptz, until timestamptz, bucket_ms bigint)
RETURNS TABLE (bucket timestamptz, series_id integer, average double precision, minimum double precision,
               maximum double precision, readings bigint)
LANGUAGE plpgsql STABLE ROWS 5000 AS $$
DECLARE
    width CONSTANT interval := dashboard.nice_step(make_interval(secs => greatest(bucket_ms, 1) / 1000.0));
    chosen record;
BEGIN
    SELECT * INTO chosen FROM dashboard.resolution_for(
        wanted, since, until, ceil(extract(epoch FROM until - since) / extract(epoch FROM width))::integer);
    RETURN QUERY
    SELECT greatest(w.bucket, since), w.series_id, w.average, w.minimum, w.maximum, w.readings
    -- Grafana's range has its end in it.
    FROM dashboard.reading_window(wanted, since, until + interval '1 microsecond', chosen.source,
                                  greatest(chosen.step, width)) w
    WHERE w.readings > 0 OR w.implausible = 0;
END;
$$;

-- In days where there are more hours than anybody waits for (as `resolution`).
CREATE OR REPLACE FUNCTION dashboard.consumption(wanted integer[], since timestamptz, until timestamptz,
                                                 bucket_ms bigint, zone text DEFAULT 'UTC')
RETURNS TABLE (bucket timestamptz, series_id integer, consumption double precision, excess double precision,
               codes integer)
LANGUAGE sql STABLE ROWS 5000 AS $$
    SELECT greatest(w.bucket, since), w.series_id, w.amount, w.excess, w.codes
    FROM dashboard.consumption_window(wanted, since, until + interval '1 microsecond',
             dashboard.nice_step(greatest(make_interval(secs => greatest(bucket_ms, 3600000) / 1000.0),
                 CASE WHEN cardinality(wanted) * extract(epoch FROM until - since) / 3600 > 300000 THEN interval '1 day' END)),
             zone) w
    ORDER BY 1, 2
$$;
