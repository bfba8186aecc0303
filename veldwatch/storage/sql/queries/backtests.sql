-- ask: a back-test of a rule over a stretch; none when the organisation has one that is not over
INSERT INTO backtest (organisation_id, definition, since, until, time_zone, requested_by)
VALUES (%(organisation_id)s, %(definition)s, %(since)s, %(until)s, %(time_zone)s, %(author)s)
ON CONFLICT (coalesce(organisation_id, 0)) WHERE finished_at IS NULL DO NOTHING
RETURNING id;

-- unfinished: the one of an organisation that is not over
SELECT id FROM backtest WHERE coalesce(organisation_id, 0) = coalesce(%(organisation_id)s::integer, 0) AND finished_at IS NULL;

-- get: one back-test as it stands; with an organisation, only its own
SELECT b.id, o.slug AS organisation, b.definition, b.since, b.until, b.time_zone, b.requested_by, b.requested_at, b.state,
       b.done, b.total, b.observations, b.started_at, b.finished_at, b.result, b.error
FROM backtest b
LEFT JOIN organisation o ON o.id = b.organisation_id
WHERE b.id = %(id)s AND (%(organisation_id)s::integer IS NULL OR b.organisation_id = %(organisation_id)s);

-- list: back-tests without their results, newest first
SELECT b.id, o.slug AS organisation, b.definition, b.since, b.until, b.time_zone, b.requested_by, b.requested_at, b.state,
       b.done, b.total, b.observations, b.started_at, b.finished_at, NULL AS result, b.error
FROM backtest b
LEFT JOIN organisation o ON o.id = b.organisation_id
WHERE b.id < %(before)s AND (%(organisation_id)s::integer IS NULL OR b.organisation_id = %(organisation_id)s)
ORDER BY b.id DESC
LIMIT %(limit)s;

-- cancel: whoever carries it out notices with its next step
UPDATE backtest SET state = 'cancelled', finished_at = clock_timestamp()
WHERE id = %(id)s AND finished_at IS NULL;

-- wake: tell the rules program, at commit, that one waits
SELECT wake('veldwatch_backtests', '');

-- waiting: those that nobody is known to carry out, the oldest first
SELECT id FROM backtest WHERE finished_at IS NULL ORDER BY id;

-- lock: become the one that carries it out, until the connection ends
SELECT pg_try_advisory_lock(%(lock)s, %(number)s);

-- unlock: let another have it
SELECT pg_advisory_unlock(%(lock)s, %(number)s);

-- begin: take it up, for the first time or again
UPDATE backtest
SET state = 'running', attempts = attempts + 1, started_at = clock_timestamp(), done = 0, total = NULL, observations = 0
WHERE id = %(id)s AND finished_at IS NULL
RETURNING organisation_id, definition, since, until, time_zone, attempts;

-- progress: how far it is; no row: it was cancelled
UPDATE backtest SET done = %(done)s, total = %(total)s, observations = %(observations)s
WHERE id = %(id)s AND state = 'running'
RETURNING id;

-- finish: keep what came of it
UPDATE backtest
SET state = 'finished', result = %(result)s, observations = %(observations)s, done = coalesce(total, done),
    finished_at = clock_timestamp()
WHERE id = %(id)s AND state = 'running';

-- fail: keep why nothing came of it
UPDATE backtest SET state = 'failed', error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(id)s AND finished_at IS NULL;

-- forget: drop those that are over since before a time
DELETE FROM backtest WHERE finished_at < %(before)s;

-- receivers: who may be told of an organisation's alerts
SELECT r.slug, o.slug AS organisation, r.channel, r.minimum_severity, r.enabled
FROM receiver r
LEFT JOIN organisation o ON o.id = r.organisation_id
WHERE r.organisation_id IS NULL OR %(organisation_id)s::integer IS NULL OR r.organisation_id = %(organisation_id)s
ORDER BY r.slug;

-- silences: those that last within a stretch
SELECT s.id, s.organisation_id, s.rule, s.site_id, s.device_id, s.tag, s.profile, s.severities, s.labels, s.starts_at, s.ends_at
FROM silence s
WHERE s.starts_at < %(until)s AND s.ends_at > %(since)s
ORDER BY s.id;

-- standing: where some devices stand, through which others they are heard, how often they report
SELECT d.id, d.gateway_id, p.expected_interval, d.longitude, d.latitude
FROM device d
LEFT JOIN profile p ON p.id = d.profile_id
WHERE d.id = ANY (%(devices)s::integer[]);

-- over: whether one has come to its end
SELECT finished_at IS NOT NULL FROM backtest WHERE id = %(id)s;
