-- find_series: the series that a correction is for, which the asker may see; two are enough to tell that it is ambiguous
SELECT s.id, s.metric, s.unit, s.kind, d.external_id AS device
FROM series s
JOIN device d ON d.id = s.device_id
JOIN organisation o ON o.id = d.organisation_id
WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(metric)s::text IS NULL OR s.metric = %(metric)s)
  AND (%(series_id)s::integer IS NULL OR s.id = %(series_id)s)
ORDER BY s.id
LIMIT 2;

-- take_turn: one at a time says something of a series; who reads and writes its readings does not wait
SELECT id FROM series WHERE id = %(series_id)s FOR NO KEY UPDATE;

-- supersede: older words on those readings count no more
UPDATE validated_reading SET superseded = true
WHERE series_id = %(series_id)s AND observed_at = ANY (%(times)s::timestamptz[]) AND NOT superseded;

-- standing: which of some readings have a correction that counts, and its value
SELECT c.observed_at, c.value FROM correction c
WHERE c.series_id = %(series_id)s AND c.observed_at = ANY (%(times)s::timestamptz[]);

-- add: a new word on each of some readings, beside the raw value
INSERT INTO validated_reading (series_id, observed_at, version, value, method, rule, author, reason, withdrawn)
SELECT %(series_id)s, said.observed_at,
       coalesce((SELECT max(v.version) FROM validated_reading v
                 WHERE v.series_id = %(series_id)s AND v.observed_at = said.observed_at), 0) + 1,
       said.value, %(method)s, %(rule)s, %(author)s, %(reason)s, %(withdrawn)s
FROM unnest(%(times)s::timestamptz[], %(values)s::double precision[]) AS said (observed_at, value);

-- make_due: roll up again the hours of some readings
INSERT INTO rollup_due (series_id, bucket)
SELECT DISTINCT %(series_id)s::integer, bucket(interval '1 hour', at) FROM unnest(%(times)s::timestamptz[]) AS at
ORDER BY 2
-- Held until the commit, so that maintenance does not take it off the list before there is anything to see.
ON CONFLICT (series_id, bucket) DO UPDATE SET bucket = EXCLUDED.bucket;

-- judge_again: judge a register again from its beginning
SELECT judge_again(ARRAY[%(series_id)s::integer]);

-- list: what was said of readings that the asker may see, of one series or of all, also what counts no more, by time
WITH page AS MATERIALIZED (
    SELECT v.*, d.external_id AS device, s.metric
    FROM validated_reading v
    JOIN series s ON s.id = v.series_id
    JOIN device d ON d.id = s.device_id
    WHERE (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
      AND (%(series_id)s::integer IS NULL OR v.series_id = %(series_id)s)
      AND (v.observed_at, v.series_id, v.version) > (%(after_time)s::timestamptz, %(after_series)s, %(after_version)s)
    ORDER BY v.observed_at, v.series_id, v.version
    LIMIT %(limit)s
)
SELECT page.series_id, page.device, page.metric, page.observed_at, page.version, page.value, raw.value AS raw_value,
       page.method, page.rule, page.author, page.reason, page.created_at,
       NOT page.superseded AND NOT page.withdrawn AS counts, page.withdrawn
FROM page
-- one look-up a row: joined as tables, all raw readings were read
LEFT JOIN LATERAL (
    SELECT r.value FROM reading r WHERE r.series_id = page.series_id AND r.observed_at = page.observed_at LIMIT 1
) raw ON true
ORDER BY page.observed_at, page.series_id, page.version;
