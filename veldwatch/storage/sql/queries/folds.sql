-- watched_devices: devices that are not retired, with their sites and all sites above those
WITH RECURSIVE path AS (
    SELECT id, parent_id, slug, ARRAY[slug] AS slugs FROM site WHERE parent_id IS NULL
    UNION ALL
    SELECT s.id, s.parent_id, s.slug, p.slugs || s.slug FROM site s JOIN path p ON s.parent_id = p.id
)
SELECT d.id, d.organisation_id, o.slug, d.external_id, d.name, p.slug, d.site_id, path.slug, path.slugs, d.tags
FROM device d
JOIN organisation o ON o.id = d.organisation_id
LEFT JOIN profile p ON p.id = d.profile_id
LEFT JOIN path ON path.id = d.site_id
WHERE d.status NOT IN ('retired', 'refused')
ORDER BY d.id;

-- watched_series: series of those devices
SELECT s.id, s.device_id, s.metric, s.unit
FROM series s
JOIN device d ON d.id = s.device_id
WHERE d.status NOT IN ('retired', 'refused')
ORDER BY s.id;

-- watched_sites: all sites, with the slugs of those above them and of themselves, and their geometries
WITH RECURSIVE path AS (
    SELECT id, ARRAY[slug] AS slugs FROM site WHERE parent_id IS NULL
    UNION ALL
    SELECT s.id, p.slugs || s.slug FROM site s JOIN path p ON s.parent_id = p.id
)
SELECT s.id, s.organisation_id, o.slug, s.slug, s.name, s.kind, path.slugs, s.geometry
FROM site s
JOIN organisation o ON o.id = s.organisation_id
JOIN path ON path.id = s.id
ORDER BY s.id;

-- watched_stretches: where those of the devices that have any limit move under which, oldest first; microseconds
SELECT m.device_id, (extract(epoch FROM lower(m.during)) * 1000000)::bigint,
       (extract(epoch FROM upper(m.during)) * 1000000)::bigint, m.maximum_speed, m.travel_speed
FROM movement_stretch m
WHERE m.device_id IN (SELECT device_id FROM movement_stretch WHERE maximum_speed IS NOT NULL)
ORDER BY m.device_id, m.during;

-- snapshot: what is seen now
SELECT pg_current_snapshot()::text;

-- has_register_changed: whether rules or register were changed by what a snapshot did not see
SELECT EXISTS (
    SELECT FROM register_change
    WHERE xid >= pg_snapshot_xmin(%(seen)s::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(xid, %(seen)s::text::pg_snapshot)
);

-- visible_before: every transaction of this database before this one is over, and seen by later reads
SELECT log_settled_before()::text;

-- load_folds: folds as they were saved
SELECT f.rule_version_id, f.subject, f.state,
       (extract(epoch FROM f.position) * 1000000)::bigint,
       (extract(epoch FROM f.floor) * 1000000)::bigint,
       (extract(epoch FROM f.wake_at) * 1000000)::bigint,
       (extract(epoch FROM f.viewed_at) * 1000000)::bigint
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[]) AS wanted (version, subject)
JOIN fold f ON f.rule_version_id = wanted.version AND f.subject = wanted.subject;

-- read_folds: all folds of a share of which it is known what of the log is in them
SELECT f.rule_version_id, f.subject, f.state,
       (extract(epoch FROM f.position) * 1000000)::bigint,
       (extract(epoch FROM f.floor) * 1000000)::bigint,
       (extract(epoch FROM f.wake_at) * 1000000)::bigint,
       (extract(epoch FROM f.viewed_at) * 1000000)::bigint,
       f.read_through::text::bigint, f.read_before::text::bigint,
       (extract(epoch FROM f.read_after) * 1000000)::bigint
FROM fold f
WHERE f.read_through IS NOT NULL AND (%(division)s = 1 OR rule_place(f.subject, %(division)s) = %(place)s);

-- forget_read: let what storage holds be read again of folds that are not followed
UPDATE fold SET read_through = NULL, read_before = NULL, read_after = NULL
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[]) AS gone (version, subject)
WHERE fold.rule_version_id = gone.version AND fold.subject = gone.subject AND fold.read_through IS NOT NULL;

-- forget_all_read: the same of all folds of a share
UPDATE fold SET read_through = NULL, read_before = NULL, read_after = NULL
WHERE read_through IS NOT NULL AND (%(division)s = 1 OR rule_place(subject, %(division)s) = %(place)s);

-- checkpoints: the positions of the earlier states that are kept, oldest first
SELECT wanted.version, wanted.subject, c.positions
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[]) AS wanted (version, subject)
CROSS JOIN LATERAL (
    SELECT array_agg((extract(epoch FROM c.position) * 1000000)::bigint ORDER BY c.position) AS positions
    FROM fold_checkpoint c
    WHERE c.rule_version_id = wanted.version AND c.subject = wanted.subject
) AS c
WHERE c.positions IS NOT NULL;

-- load_checkpoint: the newest state of a fold from before a time
SELECT (extract(epoch FROM position) * 1000000)::bigint, state
FROM fold_checkpoint
WHERE rule_version_id = %(version)s AND subject = %(subject)s AND position < %(before)s
ORDER BY position DESC
LIMIT 1;

-- due_folds: folds of a share whose time to wake has come
SELECT rule_version_id, subject FROM fold
WHERE wake_at <= %(now)s AND (%(division)s = 1 OR rule_place(subject, %(division)s) = %(place)s)
ORDER BY wake_at LIMIT %(limit)s;

-- save_folds: where folds stand
INSERT INTO fold (rule_version_id, subject, position, floor, wake_at, viewed_at, state,
                  read_through, read_before, read_after)
SELECT version, subject, position, floor, wake_at, viewed_at, state::jsonb,
       read_through::xid8, read_before::xid8, read_after
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[], %(positions)s::timestamptz[], %(floors)s::timestamptz[],
            %(wakes)s::timestamptz[], %(views)s::timestamptz[], %(states)s::text[], %(throughs)s::text[],
            %(befores)s::text[], %(afters)s::timestamptz[])
     AS saved (version, subject, position, floor, wake_at, viewed_at, state, read_through, read_before, read_after)
ON CONFLICT (rule_version_id, subject) DO UPDATE
SET position = EXCLUDED.position, floor = greatest(fold.floor, EXCLUDED.floor), wake_at = EXCLUDED.wake_at,
    viewed_at = EXCLUDED.viewed_at, state = EXCLUDED.state, read_through = EXCLUDED.read_through, read_before = EXCLUDED.read_before,
    read_after = EXCLUDED.read_after;

-- void_checkpoints: states that an observation older than they made wrong
DELETE FROM fold_checkpoint c
USING unnest(%(versions)s::uuid[], %(subjects)s::text[], %(positions)s::timestamptz[]) AS void (version, subject, since)
WHERE c.rule_version_id = void.version AND c.subject = void.subject AND c.position >= void.since;

-- save_checkpoints: earlier states of folds
INSERT INTO fold_checkpoint (rule_version_id, subject, position, state)
SELECT version, subject, position, state::jsonb
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[], %(positions)s::timestamptz[], %(states)s::text[])
     AS kept (version, subject, position, state)
ON CONFLICT (rule_version_id, subject, position) DO UPDATE SET state = EXCLUDED.state;

-- drop_checkpoints: states that are too close to their neighbours
DELETE FROM fold_checkpoint c
USING unnest(%(versions)s::uuid[], %(subjects)s::text[], %(positions)s::timestamptz[]) AS doomed (version, subject, at)
WHERE c.rule_version_id = doomed.version AND c.subject = doomed.subject AND c.position = doomed.at;

-- forget_wakes: let folds sleep that nobody follows
UPDATE fold SET wake_at = NULL
FROM unnest(%(versions)s::uuid[], %(subjects)s::text[]) AS gone (version, subject)
WHERE fold.rule_version_id = gone.version AND fold.subject = gone.subject;

-- raise_floors: close the history before a time, which retention drops: nothing refolds across it
UPDATE fold f SET floor = kept.position
FROM (
    SELECT rule_version_id, subject, min(position) AS position
    FROM fold_checkpoint WHERE position >= %(before)s GROUP BY rule_version_id, subject
) AS kept
WHERE f.rule_version_id = kept.rule_version_id AND f.subject = kept.subject
  AND (f.floor IS NULL OR f.floor < kept.position)
  AND (%(subjects)s::text[] IS NULL OR f.subject = ANY (%(subjects)s::text[])
       OR f.subject NOT SIMILAR TO '(series|device):%%');

-- close_floors: folds that have no state after that time keep only where they stand
UPDATE fold f SET floor = position
WHERE (floor IS NULL OR floor < %(before)s) AND position IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM fold_checkpoint c
                  WHERE c.rule_version_id = f.rule_version_id AND c.subject = f.subject AND c.position >= %(before)s)
  AND (%(subjects)s::text[] IS NULL OR f.subject = ANY (%(subjects)s::text[])
       OR f.subject NOT SIMILAR TO '(series|device):%%');

-- keep_closed_floors: and that is then a state to which they may return
INSERT INTO fold_checkpoint (rule_version_id, subject, position, state)
SELECT rule_version_id, subject, position, state FROM fold WHERE floor = position
ON CONFLICT (rule_version_id, subject, position) DO NOTHING;

-- drop_closed_checkpoints: states before the floor, which nothing returns to
DELETE FROM fold_checkpoint c
USING fold f
WHERE f.rule_version_id = c.rule_version_id AND f.subject = c.subject AND c.position < f.floor;

-- readings_floor: up to where a series' history is older than a new rule looks
SELECT (extract(epoch FROM least(nth.observed_at, %(since)s::timestamptz)) * 1000000)::bigint
FROM (
    SELECT observed_at FROM reading_raw WHERE series_id = %(source)s ORDER BY observed_at DESC OFFSET %(least)s LIMIT 1
) AS nth;

-- positions_floor: up to where a device's track is older than a new rule looks
SELECT (extract(epoch FROM least(nth.observed_at, %(since)s::timestamptz)) * 1000000)::bigint
FROM (
    SELECT observed_at FROM position_raw WHERE device_id = %(source)s ORDER BY observed_at DESC OFFSET %(least)s LIMIT 1
) AS nth;

-- contacts_floor: up to where a device's contacts are older than a new rule looks
SELECT (extract(epoch FROM least(nth.received_at, %(since)s::timestamptz)) * 1000000)::bigint
FROM (
    SELECT received_at FROM contact WHERE device_id = %(source)s ORDER BY received_at DESC OFFSET %(least)s LIMIT 1
) AS nth;

-- events_floor: up to where a device's events of some kinds are older than a new rule looks
SELECT (extract(epoch FROM least(nth.observed_at, %(since)s::timestamptz)) * 1000000)::bigint
FROM (
    SELECT observed_at FROM event_raw WHERE device_id = %(source)s AND kind = ANY(%(kinds)s::text[])
    ORDER BY observed_at DESC OFFSET %(least)s LIMIT 1
) AS nth;

-- readings: a page of readings of each series after its position, those marked implausible left out, and those beyond what
-- intake takes (LARGEST_VALUE, 2^53): their sums and differences may be none
SELECT w.number::integer - 1, (extract(epoch FROM o.observed_at) * 1000000)::bigint, o.value
FROM unnest(%(sources)s::integer[], %(after)s::timestamptz[]) WITH ORDINALITY AS w (source, after, number)
CROSS JOIN LATERAL (
    SELECT r.observed_at, r.value
    FROM reading r
    WHERE r.series_id = w.source AND r.observed_at > coalesce(w.after, '-infinity') AND r.quality & 4 = 0
      AND abs(r.value) <= 9007199254740992 AND (%(until)s::timestamptz IS NULL OR r.observed_at < %(until)s)
    ORDER BY r.observed_at
    LIMIT %(limit)s
) AS o
ORDER BY w.number, o.observed_at;

-- positions: a page of fixes of each device after its position, those marked implausible left out
SELECT w.number::integer - 1, (extract(epoch FROM o.observed_at) * 1000000)::bigint, o.longitude, o.latitude,
       o.accuracy::double precision
FROM unnest(%(sources)s::integer[], %(after)s::timestamptz[]) WITH ORDINALITY AS w (source, after, number)
CROSS JOIN LATERAL (
    SELECT p.observed_at, p.longitude, p.latitude, p.accuracy
    FROM position_raw p
    WHERE p.device_id = w.source AND p.observed_at > coalesce(w.after, '-infinity') AND p.quality & 4 = 0
      AND (%(until)s::timestamptz IS NULL OR p.observed_at < %(until)s)
    ORDER BY p.observed_at
    LIMIT %(limit)s
) AS o
ORDER BY w.number, o.observed_at;

-- contacts: a page of contacts of each device after its position; a last will proves no life
SELECT w.number::integer - 1, (extract(epoch FROM o.received_at) * 1000000)::bigint
FROM unnest(%(sources)s::integer[], %(after)s::timestamptz[]) WITH ORDINALITY AS w (source, after, number)
CROSS JOIN LATERAL (
    SELECT c.received_at
    FROM contact c
    WHERE c.device_id = w.source AND c.received_at > coalesce(w.after, '-infinity') AND c.online
      AND (%(until)s::timestamptz IS NULL OR c.received_at < %(until)s)
    ORDER BY c.received_at
    LIMIT %(limit)s
) AS o
ORDER BY w.number, o.received_at;

-- samples: readings of several series of one device after a position, those marked implausible left out
SELECT r.series_id, (extract(epoch FROM r.observed_at) * 1000000)::bigint, r.value
FROM reading r
WHERE r.series_id = ANY(%(series)s::integer[]) AND r.observed_at > coalesce(%(after)s::timestamptz, '-infinity')
  AND r.quality & 4 = 0 AND abs(r.value) <= 9007199254740992
  AND (%(until)s::timestamptz IS NULL OR r.observed_at < %(until)s)
ORDER BY r.observed_at, r.series_id
LIMIT %(limit)s;

-- events: what a device told of some kinds after a position
SELECT (extract(epoch FROM e.observed_at) * 1000000)::bigint, e.kind, e.attributes::text
FROM event_raw e
WHERE e.device_id = %(device)s::integer AND e.observed_at > coalesce(%(after)s::timestamptz, '-infinity')
  AND e.kind = ANY(%(kinds)s::text[]) AND (%(until)s::timestamptz IS NULL OR e.observed_at < %(until)s)
ORDER BY e.observed_at, e.digest
LIMIT %(limit)s;

-- members_readings: readings of many series within a stretch, those marked implausible left out
SELECT r.series_id, (extract(epoch FROM r.observed_at) * 1000000)::bigint, r.value
FROM reading r
WHERE r.series_id = ANY(%(members)s::integer[]) AND r.observed_at > %(since)s AND r.observed_at <= %(until)s
  AND r.quality & 4 = 0 AND abs(r.value) <= 9007199254740992
ORDER BY r.observed_at, r.series_id;

-- members_positions: fixes of many devices within a stretch, those marked implausible left out
SELECT p.device_id, (extract(epoch FROM p.observed_at) * 1000000)::bigint, p.longitude, p.latitude
FROM position_raw p
WHERE p.device_id = ANY(%(members)s::integer[]) AND p.observed_at > %(since)s AND p.observed_at <= %(until)s
  AND p.quality & 4 = 0
ORDER BY p.observed_at, p.device_id;

-- members_contacts: contacts of many devices within a stretch; a last will proves no life
SELECT c.device_id, (extract(epoch FROM c.received_at) * 1000000)::bigint
FROM contact c
WHERE c.device_id = ANY(%(members)s::integer[]) AND c.received_at > %(since)s AND c.received_at <= %(until)s
  AND c.online
ORDER BY c.received_at, c.device_id;

-- first_readings: when the first of many series was read first
SELECT (extract(epoch FROM min(first.observed_at)) * 1000000)::bigint
FROM unnest(%(members)s::integer[]) AS member (id)
CROSS JOIN LATERAL (
    SELECT observed_at FROM reading_raw WHERE series_id = member.id ORDER BY observed_at LIMIT 1
) AS first;

-- first_positions: when the first of many devices was somewhere first
SELECT (extract(epoch FROM min(first.observed_at)) * 1000000)::bigint
FROM unnest(%(members)s::integer[]) AS member (id)
CROSS JOIN LATERAL (
    SELECT observed_at FROM position_raw WHERE device_id = member.id ORDER BY observed_at LIMIT 1
) AS first;

-- first_contacts: when the first of many devices was heard first
SELECT (extract(epoch FROM min(first.received_at)) * 1000000)::bigint
FROM unnest(%(members)s::integer[]) AS member (id)
CROSS JOIN LATERAL (
    SELECT received_at FROM contact WHERE device_id = member.id ORDER BY received_at LIMIT 1
) AS first;
