-- What proved wrong in the query layer, in what holds retention back, and in what is told of upkeep. As in 0054 and 0059, the
-- same text is made for the views of both schemas.
DO $make$
DECLARE
    schema_name text;
    functions CONSTANT text := $functions$

-- The start of the bucket that holds a time, and where a bucket ends that begins at a time. From two hours on buckets follow
-- the clock of the zone. Where it goes back it shows a time twice, and AT TIME ZONE gives the second: a bucket begins at the
-- first, which is found by what the clock showed three hours before. All in one expression of `at` (below), so that the
-- server puts it in place of the call: that takes 3 microseconds.
CREATE OR REPLACE FUNCTION here.bucket_of(at timestamptz, step interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN zone = 'UTC' OR step <= interval '1 hour' THEN date_bin(step, at, '2000-01-03T00:00:00Z')
                ELSE [first of date_bin(step, at AT TIME ZONE zone, '2000-01-03')] END
$body$;

CREATE OR REPLACE FUNCTION here.bucket_end(at timestamptz, step interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $body$
    SELECT CASE WHEN zone = 'UTC' OR step <= interval '1 hour' THEN at + step
                -- The clock may have left out what the bucket begins with.
                ELSE [first of (date_bin(step, at AT TIME ZONE zone, '2000-01-03') + step)] END
$body$;

-- The points of a window, by series, then time: mean, least, greatest and number of readings in each bucket.
--   source, step, zone: as `resolution` chose them; registers: whether `last` is wanted, what a register showed at the
--   end of the bucket.
-- A row without values and without readings ends each run of points that is followed by a gap: more than three expected
-- reports (where none are expected: three usual ones) and more than two buckets. Implausible readings (quality 4,
-- veldwatch.model.telemetry.Quality) are counted, where raw ones are looked at, and are in no value.
-- What was validated counts in place of what was measured, as it does in the rollups, and estimates where nothing was.
-- `at`: where to draw it, the time of a single raw reading, else the bucket's beginning. `source`: what it was made of:
-- hours of a window of which no raw reading is left, as retention dropped them, stand in.
CREATE OR REPLACE FUNCTION here.reading_window(wanted integer[], since timestamptz, until timestamptz, source text, step interval,
                                    zone text DEFAULT 'UTC', registers boolean DEFAULT false)
RETURNS TABLE (series_id integer, bucket timestamptz, at timestamptz, average double precision,
               minimum double precision, maximum double precision, last double precision, readings bigint,
               implausible bigint, source_used text)
LANGUAGE plpgsql STABLE ROWS 5000 AS $body$
DECLARE
    points text;
    cells CONSTANT text := CASE source WHEN 'hour' THEN 'hour_cells' ELSE 'day_cells' END;
    last_raw CONSTANT text := CASE WHEN registers
        THEN '(array_agg(r.value ORDER BY r.observed_at DESC) FILTER (WHERE r.value IS NOT NULL))[1]'
        ELSE 'NULL::double precision' END;
    -- Buckets shorter than an hour lie in one.
    hours_raw CONSTANT text := CASE WHEN step > interval '1 hour'
        THEN $query$array_agg(DISTINCT date_bin('1 hour', r.observed_at, '2000-01-03T00:00:00Z'))$query$
        ELSE $query$ARRAY[date_bin('1 hour', min(r.observed_at), '2000-01-03T00:00:00Z')]$query$ END;
    last_cell CONSTANT text := CASE WHEN registers
        THEN '(array_agg(c.last ORDER BY c.bucket DESC))[1]' ELSE 'NULL::double precision' END;
    -- The whole of the first bucket, else it would look lower than it was.
    beginning CONSTANT timestamptz := CASE source WHEN 'raw' THEN since
        WHEN 'hour' THEN here.bucket_of(here.bucket_of(since, step, zone), interval '1 hour', 'UTC')
        ELSE here.bucket_of(since, step, 'UTC') END;
    singles text := $query$
        SELECT v.series_id, v.observed_at, CASE WHEN v.quality & 4 = 0 THEN v.value END AS value
        FROM here.reading v
        WHERE v.series_id = ANY ($1) AND v.observed_at >= $2 AND v.observed_at < $3
    $query$;
    is_corrected boolean;
BEGIN
    IF source = 'raw' THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM here.correction c'
                ' WHERE c.series_id = ANY ($1) AND c.observed_at >= $2 AND c.observed_at < $3)'
        INTO is_corrected USING wanted, beginning, until;
        IF is_corrected THEN
            -- Both within the window: the view reading_validated would be looked up in every partition.
            singles := 'WITH measured AS MATERIALIZED (' || singles || $query$), told AS MATERIALIZED (
                    SELECT c.series_id, c.observed_at, c.value FROM here.correction c
                    WHERE c.series_id = ANY ($1) AND c.observed_at >= $2 AND c.observed_at < $3
                )
                SELECT coalesce(m.series_id, t.series_id) AS series_id, coalesce(m.observed_at, t.observed_at) AS observed_at,
                       coalesce(t.value, m.value) AS value
                FROM measured m
                FULL JOIN told t ON t.series_id = m.series_id AND t.observed_at = m.observed_at
            $query$;
        END IF;
        points := $query$
            raw AS MATERIALIZED (
                SELECT r.series_id, date_bin($4, r.observed_at, '2000-01-03T00:00:00Z') AS bucket,
                       CASE WHEN count(r.value) = 1 THEN min(r.observed_at) FILTER (WHERE r.value IS NOT NULL) END AS at,
                       avg(r.value) AS average, min(r.value) AS minimum, max(r.value) AS maximum,
                       $query$ || last_raw || $query$ AS last, count(r.value) AS readings,
                       count(*) - count(r.value) AS implausible, $query$ || hours_raw || $query$ AS hours
                FROM ($query$ || singles || $query$) r
                GROUP BY 1, 2
            ), told AS MATERIALIZED (
                SELECT r.series_id, array_agg(DISTINCT h.hour) AS hours
                FROM raw r CROSS JOIN LATERAL unnest(r.hours) AS h (hour) GROUP BY 1
            ), point AS MATERIALIZED (
                SELECT r.series_id, r.bucket, coalesce(r.at, r.bucket) AS at, r.average, r.minimum, r.maximum, r.last,
                       r.readings, r.implausible, 'raw' AS source, $4 AS width
                FROM raw r
                UNION ALL
                SELECT s.id, h.bucket, h.bucket, h.average, h.minimum, h.maximum, h.last, h.count, 0, 'hour',
                       greatest($4, interval '1 hour')
                FROM unnest($1) AS s (id)
                LEFT JOIN told t ON t.series_id = s.id
                CROSS JOIN LATERAL (
                    SELECT k.bucket, k.average, k.minimum, k.maximum, k.last, k.count FROM here.reading_hourly k
                    -- Not the hours that the window begins and ends in: what they hold may all be outside of it.
                    WHERE k.series_id = s.id AND k.bucket >= $2
                      AND k.bucket < date_bin('1 hour', $3, '2000-01-03T00:00:00Z')
                    OFFSET 0
                ) h
                -- Not before the first raw reading only: late ones and corrections may be all that is left of their hours.
                WHERE h.bucket <> ALL (coalesce(t.hours, '{}'))
            )
        $query$;
    ELSE
        points := $query$
            point AS MATERIALIZED (
                SELECT b.*, b.bucket AS at, 0::bigint AS implausible, $6 AS source, $4 AS width
                FROM (
                    SELECT c.series_id, here.bucket_of(c.bucket, $4, $5) AS bucket,
                           sum(c.average * c.readings) / sum(c.readings::double precision) AS average,
                           min(c.minimum) AS minimum, max(c.maximum) AS maximum, $query$ || last_cell || $query$ AS last,
                           sum(c.readings)::bigint AS readings
                    FROM here.$query$ || cells || $query$($1, $2, $3) c
                    GROUP BY 1, 2
                ) b
            )
        $query$;
    END IF;
    RETURN QUERY EXECUTE 'WITH ' || points || $query$
        , followed AS (
            SELECT p.*, lead(p.bucket) OVER (PARTITION BY p.series_id ORDER BY p.bucket) - p.bucket AS until_next
            FROM point p WHERE p.readings > 0
        ), gap AS MATERIALIZED (
            SELECT f.series_id, f.bucket, f.until_next, f.width, f.source FROM followed f WHERE f.until_next > 2 * f.width
        ), expected AS MATERIALIZED (
            SELECT e.series_id, e.expected_interval AS length FROM here.series_interval e
            WHERE e.series_id = ANY (ARRAY(SELECT DISTINCT g.series_id FROM gap g)) AND e.expected_interval > interval '0'
        ), usual AS MATERIALIZED (
            SELECT f.series_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY f.until_next) AS length
            FROM followed f
            WHERE f.series_id IN (SELECT g.series_id FROM gap g) AND f.series_id NOT IN (SELECT e.series_id FROM expected e)
            GROUP BY 1
        )
        SELECT p.series_id, p.bucket, p.at, least(greatest(p.average, p.minimum), p.maximum), p.minimum, p.maximum, p.last,
               p.readings, p.implausible, p.source
        FROM point p
        UNION ALL
        SELECT g.series_id, g.bucket + g.width, g.bucket + g.width, NULL, NULL, NULL, NULL, 0, 0, g.source
        FROM gap g
        LEFT JOIN expected e ON e.series_id = g.series_id
        LEFT JOIN usual u ON u.series_id = g.series_id
        WHERE g.until_next > 3 * coalesce(e.length, u.length, interval '1 hour')
        ORDER BY 1, 2
    $query$ USING wanted, beginning, until, step, zone, source;
END;
$body$;

$functions$;
    -- When the clock of a zone first shows a time.
    earlier CONSTANT text := $expression$((\1 AT TIME ZONE zone) - interval '3 hours')$expression$;
    first_of CONSTANT text := replace($expression$CASE
        WHEN \1 - ([earlier] AT TIME ZONE zone) = interval '3 hours' THEN \1 AT TIME ZONE zone
        WHEN ([earlier] + (\1 - ([earlier] AT TIME ZONE zone))) AT TIME ZONE zone = \1
        THEN least(\1 AT TIME ZONE zone, [earlier] + (\1 - ([earlier] AT TIME ZONE zone)))
        ELSE \1 AT TIME ZONE zone END$expression$, '[earlier]', earlier);
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['public', 'dashboard'] LOOP
        EXECUTE replace(regexp_replace(functions, '\[first of (.*?)\]', first_of, 'g'), 'here.', schema_name || '.');
    END LOOP;
END;
$make$;

-- Up to when a register is judged for good, because retention dropped what told of it. What comes late for that time is judged no
-- more: the steps to it and from it are gone. A history that was loaded since, up to its end, is: the last hour tells.
CREATE FUNCTION judged_for_good(register integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(m.dropped_before), '-infinity')
    FROM retention_mark m
    WHERE m.what = 'reading' AND m.source_id IN (0, register)
      AND NOT EXISTS (
          SELECT FROM (
              SELECT h.bucket FROM consumption_hourly_rollup h
              WHERE h.series_id = register AND h.bucket < m.dropped_before AND h.readings > 0
              ORDER BY h.bucket DESC LIMIT 1
          ) newest
          JOIN reading_raw r ON r.series_id = register
               AND r.observed_at >= newest.bucket AND r.observed_at <= newest.bucket + interval '1 hour'
               AND r.observed_at < m.dropped_before
      )
      AND EXISTS (
          SELECT FROM consumption_hourly_rollup h
          WHERE h.series_id = register AND h.bucket < m.dropped_before AND h.readings > 0)
$$;

-- What keeps figures is late also if it never ran: then it has no cursor, and the whole log waits for it.
CREATE OR REPLACE VIEW dashboard.storage_upkeep WITH (security_barrier) AS
SELECT j.work, j.last_success_at, greatest(now() - j.next_at, interval '0') AS late_by, j.is_failing, j.failures
FROM public.storage_jobs() j
WHERE (SELECT everything FROM public.dashboard_reader)
UNION ALL
SELECT k.work, c.updated_at,
       coalesce(make_interval(secs => c.seconds_behind),
                (SELECT now() - min(b.committed_at) FROM public.batch b), interval '0'),
       NULL, NULL
FROM (VALUES ('rollups', 'roll up reading'), ('consumption', 'judge consumption')) AS k (consumer, work)
LEFT JOIN dashboard.consumer c ON c.consumer = k.consumer
WHERE (SELECT everything FROM public.dashboard_reader);

-- From 8 days before it opened: rules look back a week, so what it opened for may be as old.
CREATE OR REPLACE VIEW retention_need AS
SELECT d.id AS device_id, a.opened_at - interval '8 days' AS since, a.id AS alert_id, NULL::bigint AS backtest_id
FROM alert a JOIN device d ON d.id = a.device_id OR (a.device_id IS NULL AND d.organisation_id = a.organisation_id)
WHERE a.state IN ('pending', 'firing')
UNION ALL
SELECT d.id, '-infinity'::timestamptz, NULL, b.id
FROM backtest b JOIN device d ON b.organisation_id IS NULL OR d.organisation_id = b.organisation_id
WHERE b.finished_at IS NULL;

-- Readers lock the table, then its partitions; DROP TABLE of a partition locks the table too, last if the partition was locked
-- before: then a reader that came between and the sweep waited for each other, and the reader failed.
DO $do$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'reading_raw'::regclass) = 'p' THEN
        CREATE OR REPLACE FUNCTION lock_part(part regclass) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = part));
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
        END;
        $$;
    END IF;
END;
$do$;
