-- rule: the version of the rule that an alert is of, as it was then
SELECT r.slug, v.version, v.definition, v.created_at, v.created_by, v.active
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
WHERE a.id = %(id)s;

-- series: the series that an alert rests on
SELECT s.id AS series_id, s.metric, s.unit, d.external_id AS device, d.name AS device_name
FROM series s
JOIN device d ON d.id = s.device_id
WHERE s.id = ANY (%(series)s::integer[])
ORDER BY array_position(%(series)s::integer[], s.id);

-- readings: of one series around an alert, oldest first
SELECT r.observed_at, r.value, r.quality
FROM reading r
WHERE r.series_id = %(series_id)s AND r.observed_at >= %(since)s AND r.observed_at <= %(until)s
ORDER BY r.observed_at
LIMIT %(limit)s;

-- fixes: of a device around an alert, oldest first
SELECT p.observed_at, p.longitude, p.latitude, p.accuracy, p.quality
FROM position p
WHERE p.device_id = %(device_id)s AND p.observed_at >= %(since)s AND p.observed_at <= %(until)s
ORDER BY p.observed_at
LIMIT %(limit)s;

-- events: of a device around an alert, of the kinds that its rule looks at, oldest first
SELECT e.observed_at, e.kind, e.attributes
FROM event e
WHERE e.device_id = %(device_id)s AND e.observed_at >= %(since)s AND e.observed_at <= %(until)s
  AND e.kind = ANY (%(kinds)s::text[])
ORDER BY e.observed_at
LIMIT %(limit)s;

-- contacts: of a device around an alert, oldest first
SELECT c.received_at, c.messages, c.online
FROM contact c
WHERE c.device_id = %(device_id)s AND c.received_at >= %(since)s AND c.received_at <= %(until)s
ORDER BY c.received_at
LIMIT %(limit)s;
