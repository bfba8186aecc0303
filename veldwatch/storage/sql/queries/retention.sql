-- policies: how long what is kept, of those that the asker may see: an organisation's own and those for all
SELECT p.id, p.what, o.slug AS organisation, f.slug AS profile, p.metric, p.kept_days
FROM retention_policy p
LEFT JOIN organisation o ON o.id = p.organisation_id
LEFT JOIN profile f ON f.id = p.profile_id
WHERE %(scope)s::integer IS NULL OR p.organisation_id IS NULL OR p.organisation_id = %(scope)s
ORDER BY p.what, o.slug NULLS FIRST, f.slug NULLS FIRST, p.metric NULLS FIRST;

-- organisation: its id
SELECT id FROM organisation WHERE slug = %(organisation)s;

-- profile: its id
SELECT id FROM profile WHERE slug = %(profile)s;

-- take_turn: one change or preview at a time
SELECT pg_advisory_xact_lock(hashtext('retention'));

-- standing: what a policy said until now
SELECT id, kept_days FROM retention_policy
WHERE what = %(what)s AND organisation_id IS NOT DISTINCT FROM %(organisation_id)s::integer
  AND profile_id IS NOT DISTINCT FROM %(profile_id)s::integer AND metric IS NOT DISTINCT FROM %(metric)s::text;

-- set: make a policy, or change what it says
INSERT INTO retention_policy (what, organisation_id, profile_id, metric, kept_days)
VALUES (%(what)s, %(organisation_id)s, %(profile_id)s, %(metric)s, %(kept_days)s)
ON CONFLICT (what, organisation_id, profile_id, metric) DO UPDATE SET kept_days = EXCLUDED.kept_days
RETURNING id;

-- remove: forget a policy
DELETE FROM retention_policy WHERE id = %(id)s;

-- note: who changed what, and why
INSERT INTO retention_change (author, action, what, organisation_id, organisation, profile, metric, kept_days,
                              kept_days_before, reason)
VALUES (%(author)s, %(action)s, %(what)s, %(organisation_id)s, %(organisation)s, %(profile)s, %(metric)s,
        %(kept_days)s, %(kept_days_before)s, %(reason)s);

-- changes: who changed what, the latest first
SELECT c.at, c.author, c.action, c.what, c.organisation, c.profile, c.metric, c.kept_days, c.kept_days_before, c.reason
FROM retention_change c
WHERE %(scope)s::integer IS NULL OR c.organisation_id IS NULL OR c.organisation_id = %(scope)s
ORDER BY c.id DESC
LIMIT %(limit)s;

-- ends: for each source that is not kept for ever, before when it is dropped: by whole steps, and never what is needed
SELECT r.source_id,
       least(date_bin(make_interval(secs => %(step_seconds)s),
                      %(now)s::timestamptz - make_interval(days => r.kept_days), 'epoch'), h.since) AS before
FROM retention_of(%(default_days)s) r
LEFT JOIN retention_hold h ON h.device_id = r.device_id AND r.what NOT IN ('hourly', 'daily')
WHERE r.what = %(what)s AND r.kept_days IS NOT NULL AND h.since IS DISTINCT FROM '-infinity'
ORDER BY r.source_id;

-- sources: series or devices of which something may go
SELECT r.source_id FROM retention_of(%(default_days)s) r
WHERE r.what = %(what)s AND r.kept_days IS NOT NULL AND (%(scope)s::integer IS NULL OR r.organisation_id = %(scope)s)
ORDER BY r.source_id;

-- kept_for_ever: whether there is a source that is not dropped at all now
SELECT EXISTS (
    SELECT FROM retention_of(%(default_days)s) r
    LEFT JOIN retention_hold h ON h.device_id = r.device_id AND r.what NOT IN ('hourly', 'daily')
    WHERE r.what = %(what)s AND (r.kept_days IS NULL OR h.since = '-infinity'));

-- marks: before when was dropped already, by source; 0: of all
SELECT source_id, dropped_before FROM retention_mark WHERE what = %(what)s;

-- mark: remember before when was dropped
INSERT INTO retention_mark (what, source_id, dropped_before)
SELECT %(what)s, source_id, before FROM unnest(%(sources)s::integer[], %(befores)s::timestamptz[]) AS t (source_id, before)
ON CONFLICT (what, source_id) DO UPDATE
SET dropped_before = greatest(retention_mark.dropped_before, EXCLUDED.dropped_before);

-- parts: parts of a table that begin before a time, oldest first
SELECT p.part::text, p.began, p.ended FROM parts_of(%(table)s::text::regclass) p
WHERE p.began < %(before)s::timestamptz ORDER BY p.began;

-- take_sweep: let no other maintenance sweep until the session says so
SELECT pg_try_advisory_lock(hashtext('retention sweep'));

-- end_sweep: let the next one begin
SELECT pg_advisory_unlock(hashtext('retention sweep'));

-- limit_waiting: who waits longer than that for a lock gives up, in this transaction; columnstore may open what it must
SELECT set_config('lock_timeout', %(longest)s::text, true),
       set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);

-- lock_part: nobody writes into a part that is about to go
SELECT lock_part(%(part)s::text::regclass);

-- drop_part: drop one part with all that it holds
SELECT drop_part(%(table)s::text::regclass, %(part)s::text::regclass);

-- delete_stretch: delete what some sources said in a stretch
SELECT delete_stretch(%(table)s::text::regclass, %(source_column)s::name, %(time_column)s::name,
                      %(sources)s::integer[], %(since)s::timestamptz, %(until)s::timestamptz);

-- unread: which consumers have not read all of the log, the furthest behind first; those that keep figures also if they
-- never read any
SELECT c.consumer, c.xid::text, c.id
FROM (
    SELECT consumer, xid, id FROM log_cursor
    UNION ALL
    SELECT k.name, '0'::xid8, 0 FROM (VALUES ('rollups'), ('consumption')) AS k (name)
    WHERE NOT EXISTS (SELECT FROM log_cursor l WHERE l.consumer = k.name)
) c
WHERE EXISTS (SELECT FROM batch b WHERE (b.xid, b.id) > (c.xid, c.id))
ORDER BY c.xid, c.id;

-- due: whether hours before a time are to be rolled up, or registers to be judged, of what the log does not tell
SELECT EXISTS (SELECT FROM rollup_due WHERE bucket < %(before)s), EXISTS (SELECT FROM consumption_due);

-- held_back: what is past its time and stays, by what needs it; only where there is something
SELECT array_agg(DISTINCT r.what ORDER BY r.what) AS whats, nullif(n.since, '-infinity') AS since,
       CASE WHEN count(DISTINCT r.organisation_id) = 1 THEN min(o.slug) END AS organisation,
       CASE WHEN count(DISTINCT d.id) = 1 THEN min(d.external_id) END AS device,
       count(DISTINCT d.id) AS devices, n.alert_id, n.backtest_id,
       CASE WHEN n.alert_id IS NULL THEN 'a back-test is not over'
            ELSE format('an alert is open: %%s', (SELECT a.summary FROM alert a WHERE a.id = n.alert_id)) END AS reason
FROM retention_of(%(default_days)s) r
JOIN unnest(%(whats)s::text[], %(steps)s::float8[]) AS w (what, step_seconds) ON w.what = r.what
JOIN retention_need n ON n.device_id = r.device_id
JOIN device d ON d.id = r.device_id
JOIN organisation o ON o.id = r.organisation_id
CROSS JOIN LATERAL (
    SELECT date_bin(make_interval(secs => w.step_seconds), %(now)s::timestamptz - make_interval(days => r.kept_days), 'epoch')
) e (before)
WHERE n.since < e.before AND (%(scope)s::integer IS NULL OR r.organisation_id = %(scope)s)
  AND CASE r.what
      WHEN 'reading' THEN EXISTS (SELECT FROM reading_raw x WHERE x.series_id = r.source_id
                                  AND x.observed_at >= n.since AND x.observed_at < e.before)
      WHEN 'position' THEN EXISTS (SELECT FROM position_raw x WHERE x.device_id = r.source_id
                                   AND x.observed_at >= n.since AND x.observed_at < e.before)
      WHEN 'event' THEN EXISTS (SELECT FROM event_raw x WHERE x.device_id = r.source_id
                                AND x.observed_at >= n.since AND x.observed_at < e.before)
      ELSE EXISTS (SELECT FROM contact x WHERE x.device_id = r.source_id
                   AND x.received_at >= n.since AND x.received_at < e.before) END
GROUP BY n.since, n.alert_id, n.backtest_id
ORDER BY n.since, n.alert_id, n.backtest_id
LIMIT %(limit)s;

-- count_reading: how many rows of some series are older than a time each; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.series_id) AS sources, min(r.observed_at) AS began, max(r.observed_at) AS ended
FROM (
    SELECT r.series_id, r.observed_at
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN reading_raw r ON r.series_id = w.source_id AND r.observed_at < w.before
    LIMIT %(most)s
) r;

-- count_position: how many rows of some devices are older than a time each; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.device_id) AS sources, min(r.observed_at) AS began, max(r.observed_at) AS ended
FROM (
    SELECT r.device_id, r.observed_at
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN position_raw r ON r.device_id = w.source_id AND r.observed_at < w.before
    LIMIT %(most)s
) r;

-- count_event: how many rows of some devices are older than a time each; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.device_id) AS sources, min(r.observed_at) AS began, max(r.observed_at) AS ended
FROM (
    SELECT r.device_id, r.observed_at
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN event_raw r ON r.device_id = w.source_id AND r.observed_at < w.before
    LIMIT %(most)s
) r;

-- count_contact: how many rows of some devices are older than a time each; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.device_id) AS sources, min(r.received_at) AS began, max(r.received_at) AS ended
FROM (
    SELECT r.device_id, r.received_at
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN contact r ON r.device_id = w.source_id AND r.received_at < w.before
    LIMIT %(most)s
) r;

-- count_hourly: how many rows of some series are older than a time each, in either table; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.series_id) AS sources, min(r.bucket) AS began, max(r.bucket) AS ended
FROM (
    SELECT r.series_id, r.bucket
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN reading_hourly_rollup r ON r.series_id = w.source_id AND r.bucket < w.before
    UNION ALL
    SELECT r.series_id, r.bucket
    FROM unnest(%(sources)s::integer[], %(befores_2)s::timestamptz[]) AS w (source_id, before)
    JOIN consumption_hourly_rollup r ON r.series_id = w.source_id AND r.bucket < w.before
    LIMIT %(most)s
) r;

-- count_daily: how many rows of some series are older than a time each, in either table; of many, only so many are counted
SELECT count(*) AS rows, count(DISTINCT r.series_id) AS sources, min(r.bucket) AS began, max(r.bucket) AS ended
FROM (
    SELECT r.series_id, r.bucket
    FROM unnest(%(sources)s::integer[], %(befores_1)s::timestamptz[]) AS w (source_id, before)
    JOIN reading_daily_rollup r ON r.series_id = w.source_id AND r.bucket < w.before
    UNION ALL
    SELECT r.series_id, r.bucket
    FROM unnest(%(sources)s::integer[], %(befores_2)s::timestamptz[]) AS w (source_id, before)
    JOIN consumption_daily_rollup r ON r.series_id = w.source_id AND r.bucket < w.before
    LIMIT %(most)s
) r;
