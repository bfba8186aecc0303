-- A month of hours in a quarter less time: no sort of all hours for the few that are looked at again, no wide rows for the gaps
-- between points. Otherwise as in 0059 and 0067; as there, the same text is made for the views of both schemas.
DO $make$
DECLARE
    schema_name text;
    functions CONSTANT text := $functions$

-- Hours of some series, as in 0059, in no order.
CREATE OR REPLACE FUNCTION here.hour_cells(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (bucket timestamptz, series_id integer, readings bigint, average double precision,
               minimum double precision, maximum double precision, last double precision)
LANGUAGE plpgsql STABLE ROWS 5000 AS $body$
DECLARE
    recent CONSTANT timestamptz := greatest(since, until - interval '2 days');
    newest timestamptz;
    find CONSTANT text := 'SELECT max(h.bucket) FROM here.reading_hourly h'
                          ' WHERE h.series_id = ANY ($1) AND h.bucket >= $2 AND h.bucket < $3';
BEGIN
    EXECUTE find INTO newest USING wanted, recent, until;
    IF newest IS NULL AND recent > since THEN
        EXECUTE find INTO newest USING wanted, since, recent;
    END IF;
    RETURN QUERY EXECUTE $query$
        WITH stored AS MATERIALIZED (
            SELECT h.bucket, h.series_id, h.count, h.average, h.minimum, h.maximum, h.last
            FROM here.reading_hourly h
            WHERE h.series_id = ANY ($1) AND h.bucket >= $2 AND h.bucket < $3
        ), newest AS MATERIALIZED (
            SELECT s.id, greatest(max(t.bucket), $4) AS bucket
            FROM unnest($1) AS s (id) LEFT JOIN stored t ON t.series_id = s.id AND t.bucket >= $4 GROUP BY s.id
        ), fresh AS MATERIALIZED (
            SELECT date_bin('1 hour', r.observed_at, '2000-01-03T00:00:00Z') AS bucket, n.id AS series_id,
                   count(*) AS count, avg(r.value) AS average, min(r.value) AS minimum, max(r.value) AS maximum,
                   (array_agg(r.value ORDER BY r.observed_at DESC))[1] AS last
            FROM newest n
            CROSS JOIN LATERAL (
                SELECT v.observed_at, v.value FROM here.reading v
                WHERE v.series_id = n.id AND v.observed_at >= n.bucket AND v.observed_at >= $4 AND v.observed_at < $3
                  AND v.quality & 4 = 0
                -- Not made a join, which is not looked up inside a view that is a barrier: it would read all series.
                OFFSET 0
            ) r
            GROUP BY 1, 2
        )
        SELECT t.bucket, t.series_id, t.count, t.average, t.minimum, t.maximum, t.last FROM stored t WHERE t.bucket < $4
        UNION ALL
        (SELECT DISTINCT ON (k.series_id, k.bucket) k.bucket, k.series_id, k.count, k.average, k.minimum, k.maximum, k.last
         FROM (
             SELECT t.bucket, t.series_id, t.count, t.average, t.minimum, t.maximum, t.last, 0 AS place
             FROM stored t WHERE t.bucket >= $4
             UNION ALL
             SELECT f.bucket, f.series_id, f.count, f.average, f.minimum, f.maximum, f.last, 1 FROM fresh f
         ) k
         ORDER BY k.series_id, k.bucket, k.count DESC, k.place)
    $query$ USING wanted, since, until, greatest(newest - interval '1 day', since);
END;
$body$;

-- The points of a window, as in 0067.
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
                           sum(c.readings::double precision)::bigint AS readings
                    FROM here.$query$ || cells || $query$($1, $2, $3) c
                    GROUP BY 1, 2
                ) b
            )
        $query$;
    END IF;
    RETURN QUERY EXECUTE 'WITH ' || points || $query$
        , followed AS (
            SELECT p.series_id, p.bucket, p.width, p.source,
                   lead(p.bucket) OVER (PARTITION BY p.series_id ORDER BY p.bucket) AS next
            FROM point p WHERE p.readings > 0
        ), gap AS MATERIALIZED (
            SELECT f.series_id, f.bucket, f.next - f.bucket AS until_next, f.width, f.source
            FROM followed f WHERE f.next > f.bucket + 2 * f.width
        ), expected AS MATERIALIZED (
            SELECT e.series_id, e.expected_interval AS length FROM here.series_interval e
            WHERE e.series_id = ANY (ARRAY(SELECT DISTINCT g.series_id FROM gap g)) AND e.expected_interval > interval '0'
        ), usual AS MATERIALIZED (
            SELECT f.series_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY f.next - f.bucket) AS length
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
BEGIN
    FOREACH schema_name IN ARRAY ARRAY['public', 'dashboard'] LOOP
        EXECUTE replace(functions, 'here.', schema_name || '.');
    END LOOP;
END;
$make$;
