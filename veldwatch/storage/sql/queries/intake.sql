-- insert_readings: store the readings whose key is free, and name the keys that were
-- Divisor 0: kept as a float (veldwatch/storage/decimals.py).
INSERT INTO reading_raw (observed_at, series_id, delay_seconds, quality, divisor, scaled, value)
SELECT observed_at, series_id, delay_seconds, quality, nullif(divisor, 0), CASE WHEN divisor <> 0 THEN scaled END,
       CASE WHEN divisor = 0 THEN value END
FROM unnest(%(observed_at)s::timestamptz[], %(series_id)s::integer[], %(delay_seconds)s::integer[],
            %(quality)s::smallint[], %(divisor)s::smallint[], %(scaled)s::integer[], %(value)s::double precision[])
     AS n (observed_at, series_id, delay_seconds, quality, divisor, scaled, value)
ON CONFLICT (series_id, observed_at) DO NOTHING
RETURNING series_id, (extract(epoch FROM observed_at) * 1000000)::bigint;

-- conflicting_readings: places of those readings whose key holds another value, and that value
-- OFFSET 0 keeps the planner from anything but one look into the key per row.
SELECT (n.place - 1)::integer, stored.value
FROM unnest(%(observed_at)s::timestamptz[], %(series_id)s::integer[], %(value)s::double precision[])
     WITH ORDINALITY AS n (observed_at, series_id, value, place)
CROSS JOIN LATERAL (
    SELECT r.value FROM reading r
    WHERE r.series_id = n.series_id AND r.observed_at = n.observed_at
    OFFSET 0
) AS stored
WHERE stored.value <> n.value
ORDER BY n.place;

-- insert_positions: store the fixes whose key is free, and name the keys that were
INSERT INTO position_raw (observed_at, device_id, delay_seconds, quality, longitude, latitude, altitude, accuracy,
                          speed, heading)
SELECT observed_at, device_id, delay_seconds, quality, longitude, latitude, nullif(altitude, 'NaN'),
       nullif(accuracy, 'NaN'), nullif(speed, 'NaN'), nullif(heading, 'NaN')
FROM unnest(%(observed_at)s::timestamptz[], %(device_id)s::integer[], %(delay_seconds)s::integer[],
            %(quality)s::smallint[], %(longitude)s::double precision[], %(latitude)s::double precision[],
            %(altitude)s::real[], %(accuracy)s::real[], %(speed)s::real[], %(heading)s::real[])
     AS n (observed_at, device_id, delay_seconds, quality, longitude, latitude, altitude, accuracy, speed, heading)
ON CONFLICT (device_id, observed_at) DO NOTHING
RETURNING device_id, (extract(epoch FROM observed_at) * 1000000)::bigint;

-- conflicting_positions: places of those fixes whose key holds another place
SELECT (n.place - 1)::integer
FROM unnest(%(observed_at)s::timestamptz[], %(device_id)s::integer[], %(longitude)s::double precision[],
            %(latitude)s::double precision[])
     WITH ORDINALITY AS n (observed_at, device_id, longitude, latitude, place)
CROSS JOIN LATERAL (
    SELECT p.longitude, p.latitude FROM position_raw p
    WHERE p.device_id = n.device_id AND p.observed_at = n.observed_at
    OFFSET 0
) AS stored
WHERE stored.longitude <> n.longitude OR stored.latitude <> n.latitude
ORDER BY n.place;

-- insert_events: store the events that are new, and give their digests
INSERT INTO event_raw (observed_at, device_id, kind, digest, delay_seconds, attributes)
SELECT observed_at, device_id, kind, digest, delay_seconds, attributes
FROM unnest(%(observed_at)s::timestamptz[], %(device_id)s::integer[], %(kind)s::text[], %(digest)s::bytea[],
            %(delay_seconds)s::integer[], %(attributes)s::jsonb[])
     AS n (observed_at, device_id, kind, digest, delay_seconds, attributes)
ON CONFLICT (device_id, observed_at, digest) DO NOTHING
RETURNING device_id, (extract(epoch FROM observed_at) * 1000000)::bigint, digest;

-- insert_contacts: store when devices were heard; two batches may share a moment of arrival
INSERT INTO contact (received_at, device_id, messages, first_observed_at, last_observed_at, online)
SELECT received_at, device_id, messages, nullif(first_observed_at, '-infinity'),
       CASE WHEN first_observed_at > '-infinity' THEN last_observed_at END, online
FROM unnest(%(received_at)s::timestamptz[], %(device_id)s::integer[], %(messages)s::integer[],
            %(first_observed_at)s::timestamptz[], %(last_observed_at)s::timestamptz[], %(online)s::boolean[])
     AS n (received_at, device_id, messages, first_observed_at, last_observed_at, online)
ON CONFLICT (device_id, received_at) DO UPDATE
SET messages = contact.messages + EXCLUDED.messages,
    first_observed_at = least(contact.first_observed_at, EXCLUDED.first_observed_at),
    last_observed_at = greatest(contact.last_observed_at, EXCLUDED.last_observed_at),
    online = EXCLUDED.online;

-- insert_contacts_once: store when devices were heard, where that is not stored, and name what was new
INSERT INTO contact (received_at, device_id, messages, first_observed_at, last_observed_at, online)
SELECT received_at, device_id, messages, nullif(first_observed_at, '-infinity'),
       CASE WHEN first_observed_at > '-infinity' THEN last_observed_at END, online
FROM unnest(%(received_at)s::timestamptz[], %(device_id)s::integer[], %(messages)s::integer[],
            %(first_observed_at)s::timestamptz[], %(last_observed_at)s::timestamptz[], %(online)s::boolean[])
     AS n (received_at, device_id, messages, first_observed_at, last_observed_at, online)
ON CONFLICT (device_id, received_at) DO NOTHING
RETURNING device_id, (extract(epoch FROM received_at) * 1000000)::bigint;

-- totals: rows of readings and of quarantine, all of them: for benchmarks and tests
SELECT (SELECT count(*) FROM reading_raw), (SELECT count(*) FROM quarantine);

-- last_commit: when the newest batch in the log was written
SELECT committed_at FROM batch ORDER BY id DESC LIMIT 1;
