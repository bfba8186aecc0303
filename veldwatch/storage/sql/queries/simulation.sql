-- request: ask the simulators for a fault
INSERT INTO simulated_fault (device_id, site_id, kind, parameters, size, size_unit, requested_by)
VALUES (%(device_id)s, %(site_id)s, %(kind)s, %(parameters)s, %(size)s, %(size_unit)s, %(requested_by)s)
RETURNING id;

-- wake: tell the simulators, at commit, that a request has changed
SELECT wake('veldwatch_simulation', '');

-- list: faults with their places, newest first; with open_only, those that are not over; with a run, those of it
SELECT f.id, f.run_id, f.planned_key, f.device_id, d.external_id AS device, f.site_id, s.slug AS site,
       o.slug AS organisation, coalesce(d.name, s.name) AS place_name, f.kind, f.parameters, f.size, f.size_unit,
       f.requested_at, f.requested_by, f.started_at, f.ends_at, f.stopped_at
FROM simulated_fault f
LEFT JOIN device d ON d.id = f.device_id
LEFT JOIN site s ON s.id = f.site_id
JOIN organisation o ON o.id = coalesce(d.organisation_id, s.organisation_id)
WHERE (NOT %(open_only)s OR f.stopped_at IS NULL)
  AND (%(run_id)s::bigint IS NULL OR f.run_id = %(run_id)s)
  AND (%(organisation_id)s::integer IS NULL OR o.id = %(organisation_id)s)
ORDER BY f.id DESC
LIMIT %(limit)s;

-- truth: faults that had begun and were not over within a stretch, oldest first
SELECT f.id, f.run_id, f.planned_key, f.device_id, d.external_id AS device, f.site_id, s.slug AS site,
       o.slug AS organisation, coalesce(d.name, s.name) AS place_name, f.kind, f.parameters, f.size, f.size_unit,
       f.requested_at, f.requested_by, f.started_at, f.ends_at, f.stopped_at
FROM simulated_fault f
LEFT JOIN device d ON d.id = f.device_id
LEFT JOIN site s ON s.id = f.site_id
JOIN organisation o ON o.id = coalesce(d.organisation_id, s.organisation_id)
LEFT JOIN simulation_run r ON r.id = f.run_id
WHERE f.started_at < %(until)s AND coalesce(f.stopped_at, f.ends_at, 'infinity') > %(since)s
  AND f.started_at <= coalesce(r.simulated_until, 'infinity') -- what is planned beyond a run's end never was
  AND (%(run_id)s::bigint IS NULL OR f.run_id = %(run_id)s)
  AND (%(organisation_id)s::integer IS NULL OR o.id = %(organisation_id)s)
ORDER BY f.started_at, f.id;

-- record: the truth of a fault of a run, planned or not; written again under its key it stays one row, newer ends hold
INSERT INTO simulated_fault (run_id, planned_key, device_id, site_id, kind, parameters, size, size_unit, requested_by,
                             started_at, ends_at, stopped_at)
VALUES (%(run_id)s, %(planned_key)s, %(device_id)s, %(site_id)s, %(kind)s, %(parameters)s, %(size)s, %(size_unit)s,
        %(requested_by)s, %(started_at)s, %(ends_at)s, %(stopped_at)s)
ON CONFLICT (run_id, planned_key) DO UPDATE
SET device_id = EXCLUDED.device_id, site_id = EXCLUDED.site_id, kind = EXCLUDED.kind,
    parameters = EXCLUDED.parameters, size = EXCLUDED.size, size_unit = EXCLUDED.size_unit,
    started_at = EXCLUDED.started_at, ends_at = least(simulated_fault.ends_at, EXCLUDED.ends_at),
    stopped_at = coalesce(EXCLUDED.stopped_at, simulated_fault.stopped_at)
RETURNING id;

-- request_stop: ask the simulators to end a fault now: at the moment that its run has come to, if it is of one
UPDATE simulated_fault f
SET ends_at = LEAST(f.ends_at, coalesce(
    (SELECT r.simulated_until FROM simulation_run r WHERE r.id = f.run_id), %(now)s::timestamptz))
WHERE f.id = %(id)s AND f.stopped_at IS NULL
  AND (%(organisation_id)s::integer IS NULL
       OR EXISTS (SELECT 1 FROM device d WHERE d.id = f.device_id AND d.organisation_id = %(organisation_id)s)
       OR EXISTS (SELECT 1 FROM site s WHERE s.id = f.site_id AND s.organisation_id = %(organisation_id)s))
RETURNING f.id;

-- mark_started: the ground truth of a fault's begin
UPDATE simulated_fault
SET started_at = %(at)s, ends_at = LEAST(ends_at, %(ends_at)s), run_id = coalesce(run_id, %(run_id)s::bigint)
WHERE id = %(id)s AND started_at IS NULL;

-- mark_stopped: the ground truth of a fault's end
UPDATE simulated_fault SET stopped_at = %(at)s WHERE id = %(id)s AND stopped_at IS NULL;

-- find_devices: devices of that name, in every organisation or in one
SELECT d.id, o.slug
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE d.external_id = %(device)s AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
ORDER BY o.slug;

-- find_sites: sites of that slug, in every organisation or in one
SELECT s.id, o.slug
FROM site s
JOIN organisation o ON o.id = s.organisation_id
WHERE s.slug = %(site)s AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
ORDER BY o.slug;

-- latest_readings: the newest value of every series of some organisations
SELECT o.slug, d.external_id, s.metric, newest.observed_at, newest.value
FROM organisation o
JOIN device d ON d.organisation_id = o.id
JOIN series s ON s.device_id = d.id
CROSS JOIN LATERAL (SELECT r.observed_at, r.value FROM reading r
                    WHERE r.series_id = s.id AND r.observed_at > %(since)s
                    ORDER BY r.observed_at DESC LIMIT 1) newest
WHERE o.slug = ANY (%(organisations)s);

-- latest_positions: the time of the newest fix of every device of some organisations
SELECT o.slug, d.external_id, newest.observed_at
FROM organisation o
JOIN device d ON d.organisation_id = o.id
CROSS JOIN LATERAL (SELECT p.observed_at FROM position p
                    WHERE p.device_id = d.id AND p.observed_at > %(since)s
                    ORDER BY p.observed_at DESC LIMIT 1) newest
WHERE o.slug = ANY (%(organisations)s);
