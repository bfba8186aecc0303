-- readings: readings of many series within a stretch, a row for each series; those marked implausible left out
SELECT s.series_id, array_agg(s.observed_at), array_agg(s.value)
FROM (
    SELECT r.series_id, r.observed_at, r.value
    FROM reading r
    WHERE r.series_id = ANY(%(sources)s::integer[]) AND r.observed_at > %(after)s AND r.observed_at <= %(until)s
      AND r.quality & 4 = 0 AND abs(r.value) <= 9007199254740992
    LIMIT %(most)s
) AS s
GROUP BY s.series_id;

-- contacts: contacts of many devices within a stretch, a row for each device; a last will proves no life
SELECT s.device_id, array_agg(s.received_at), NULL
FROM (
    SELECT c.device_id, c.received_at
    FROM contact c
    WHERE c.device_id = ANY(%(sources)s::integer[]) AND c.received_at > %(after)s AND c.received_at <= %(until)s
      AND c.online
    LIMIT %(most)s
) AS s
GROUP BY s.device_id;

-- export_snapshot: what this transaction sees, for others to see the same
SELECT pg_export_snapshot();
