-- request: ask the simulators for a run
INSERT INTO simulation_run (scenario, seed, begins_at, ends_at, speed, requested_by, served)
VALUES (%(scenario)s, %(seed)s, coalesce(%(begins_at)s::timestamptz, now()), %(ends_at)s, %(speed)s, %(requested_by)s,
        true)
RETURNING id;

-- start: write a run that begins now without having been asked for
INSERT INTO simulation_run (scenario, seed, begins_at, ends_at, speed, requested_by, started_at)
VALUES (%(scenario)s, %(seed)s, %(begins_at)s, %(ends_at)s, %(speed)s, %(requested_by)s, now())
RETURNING id;

-- wake: tell the simulators, at commit, that a request has changed
SELECT wake('veldwatch_simulation', '');

-- list: runs, newest first; with open_only, those that are not over
SELECT id, scenario, seed, begins_at, ends_at, simulated_until, speed, requested_by, requested_at, started_at,
       stop_requested_at, stopped_at, messages, note
FROM simulation_run
WHERE (NOT %(open_only)s OR stopped_at IS NULL)
  AND (NOT %(served_only)s OR served)
  AND (%(id)s::bigint IS NULL OR id = %(id)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- request_stop: ask the simulators to end a run; the first to ask stays
UPDATE simulation_run SET stop_requested_at = coalesce(stop_requested_at, now())
WHERE id = %(id)s AND stopped_at IS NULL
RETURNING id;

-- mark_started: a simulator takes a request up, unless another did; what it settled on where the request left it open
UPDATE simulation_run
SET started_at = now(), seed = coalesce(%(seed)s, seed), begins_at = coalesce(%(begins_at)s::timestamptz, begins_at),
    ends_at = coalesce(%(ends_at)s::timestamptz, ends_at)
WHERE id = %(id)s AND started_at IS NULL AND stopped_at IS NULL
RETURNING id;

-- mark_progress: how far a run has come
UPDATE simulation_run
SET simulated_until = greatest(simulated_until, %(simulated_until)s::timestamptz), messages = messages + %(messages)s
WHERE id = %(id)s;

-- mark_stopped: a run is over, and with it whatever it left open
UPDATE simulation_run SET stopped_at = now(), note = %(note)s WHERE id = %(id)s AND stopped_at IS NULL;

-- close_faults: the end of the faults that a run leaves behind
UPDATE simulated_fault f
SET stopped_at = greatest(f.started_at, least(f.ends_at, r.simulated_until, r.ends_at))
FROM simulation_run r
WHERE r.id = %(id)s AND f.run_id = r.id AND f.stopped_at IS NULL AND f.started_at IS NOT NULL;

-- serve_alone: whether nobody else serves this database's runs; held until the connection ends
SELECT pg_try_advisory_lock(hashtext('veldwatch simulate serve'));
