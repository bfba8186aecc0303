-- request: ask the simulators for a fault
INSERT INTO simulated_fault (device_id, kind, parameters, requested_by)
VALUES (%(device_id)s, %(kind)s, %(parameters)s, %(requested_by)s)
RETURNING id;

-- wake: tell the simulators, at commit, that a request has changed
SELECT pg_notify('veldwatch_simulation', '');

-- list: faults with their devices, newest first; with open_only, those that are not over
SELECT f.id, f.device_id, d.external_id, o.slug AS organisation, d.name, f.kind, f.parameters, f.requested_at,
       f.requested_by, f.started_at, f.ends_at, f.stopped_at
FROM simulated_fault f
JOIN device d ON d.id = f.device_id
JOIN organisation o ON o.id = d.organisation_id
WHERE (NOT %(open_only)s OR f.stopped_at IS NULL)
  AND (%(organisation_id)s::integer IS NULL OR o.id = %(organisation_id)s)
ORDER BY f.id DESC
LIMIT %(limit)s;

-- request_stop: ask the simulators to end a fault now
UPDATE simulated_fault f
SET ends_at = LEAST(f.ends_at, %(now)s)
FROM device d
WHERE f.id = %(id)s AND f.stopped_at IS NULL AND d.id = f.device_id
  AND (%(organisation_id)s::integer IS NULL OR d.organisation_id = %(organisation_id)s)
RETURNING f.id;

-- mark_started: the ground truth of a fault's begin
UPDATE simulated_fault
SET started_at = %(at)s, ends_at = LEAST(ends_at, %(ends_at)s)
WHERE id = %(id)s AND started_at IS NULL;

-- mark_stopped: the ground truth of a fault's end
UPDATE simulated_fault SET stopped_at = %(at)s WHERE id = %(id)s AND stopped_at IS NULL;

-- find_devices: devices of that name, in every organisation or in one
SELECT d.id, o.slug
FROM device d
JOIN organisation o ON o.id = d.organisation_id
WHERE d.external_id = %(device)s AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
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
