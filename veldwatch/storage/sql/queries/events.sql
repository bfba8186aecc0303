-- events: what happened at devices, newest first, after a cursor
SELECT e.observed_at, e.received_at, e.device_id, d.external_id AS device, o.slug AS organisation, e.kind,
       e.attributes, e.digest
FROM event e
JOIN device d ON d.id = e.device_id
JOIN organisation o ON o.id = d.organisation_id
WHERE e.observed_at >= COALESCE(%(since)s::timestamptz, '-infinity')
  AND e.observed_at < COALESCE(%(until)s::timestamptz, 'infinity')
  AND e.observed_at <= COALESCE(%(after)s::timestamptz, 'infinity')
  AND (%(after)s::timestamptz IS NULL OR (e.observed_at, e.device_id, e.digest)
       < (%(after)s::timestamptz, %(after_id)s::integer, %(after_digest)s::text))
  AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(device)s::text IS NULL OR d.external_id = %(device)s)
  AND (%(device_id)s::integer IS NULL OR e.device_id = %(device_id)s)
  AND (%(kind)s::text IS NULL OR e.kind = %(kind)s)
ORDER BY e.observed_at DESC, e.device_id DESC, e.digest DESC
LIMIT %(limit)s;

-- contacts: when some devices were heard, newest first, after a cursor
SELECT c.*
FROM unnest(%(devices)s::integer[]) AS d (id)
CROSS JOIN LATERAL (
    SELECT h.device_id, h.received_at, h.messages, h.first_observed_at, h.last_observed_at, h.online
    FROM contact h
    WHERE h.device_id = d.id
      AND h.received_at >= COALESCE(%(since)s::timestamptz, '-infinity')
      AND h.received_at < COALESCE(%(until)s::timestamptz, 'infinity')
      AND h.received_at <= COALESCE(%(after)s::timestamptz, 'infinity')
      AND (%(after)s::timestamptz IS NULL OR (h.received_at, d.id) < (%(after)s::timestamptz, %(after_id)s::integer))
    ORDER BY h.received_at DESC
    LIMIT %(limit)s
) c
ORDER BY c.received_at DESC, c.device_id DESC
LIMIT %(limit)s;
