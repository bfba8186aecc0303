-- list: the edited sources, in the order in which they are asked
SELECT name, topic_filter, decoder, options, organisation, register_unknown, register_as, device_pattern,
       registrations_per_hour, priority, enabled, updated_at, updated_by
FROM source
ORDER BY priority, name;

-- get: one of them
SELECT name, topic_filter, decoder, options, organisation, register_unknown, register_as, device_pattern,
       registrations_per_hour, priority, enabled, updated_at, updated_by
FROM source
WHERE name = %(name)s;

-- save: make a source, or bring it to what is said; what is the same already stays as it is, and gives no row
INSERT INTO source AS s
       (name, priority, topic_filter, decoder, options, organisation, register_unknown, register_as, device_pattern,
        registrations_per_hour, enabled, updated_by)
VALUES (%(name)s, %(priority)s, %(topic_filter)s, %(decoder)s, %(options)s, %(organisation)s, %(register_unknown)s,
        %(register_as)s, %(device_pattern)s, %(registrations_per_hour)s, %(enabled)s, %(author)s)
ON CONFLICT (name) DO UPDATE
SET priority = EXCLUDED.priority, topic_filter = EXCLUDED.topic_filter, decoder = EXCLUDED.decoder,
    options = EXCLUDED.options, organisation = EXCLUDED.organisation, register_unknown = EXCLUDED.register_unknown,
    register_as = EXCLUDED.register_as, device_pattern = EXCLUDED.device_pattern,
    registrations_per_hour = EXCLUDED.registrations_per_hour,
    enabled = EXCLUDED.enabled, updated_at = now(), updated_by = EXCLUDED.updated_by
WHERE (s.priority, s.topic_filter, s.decoder, s.options, s.organisation, s.register_unknown, s.register_as,
       s.device_pattern, s.registrations_per_hour, s.enabled)
      IS DISTINCT FROM
      (EXCLUDED.priority, EXCLUDED.topic_filter, EXCLUDED.decoder, EXCLUDED.options, EXCLUDED.organisation,
       EXCLUDED.register_unknown, EXCLUDED.register_as, EXCLUDED.device_pattern, EXCLUDED.registrations_per_hour,
       EXCLUDED.enabled)
RETURNING s.name;

-- remove: forget a source
DELETE FROM source
WHERE name = %(name)s
RETURNING name;

-- count: what each source has registered, and what of it waits in quarantine; '' is no source at all
SELECT coalesce(d.source, q.source) AS source, coalesce(d.devices, 0) AS devices, coalesce(q.waiting, 0) AS waiting
FROM (SELECT source, count(*) AS devices FROM device GROUP BY source) d
FULL JOIN (SELECT source, count(*) AS waiting FROM quarantine WHERE state = 'open' GROUP BY source) q
       ON q.source = d.source;

-- traffic: when each source took a message last, and how many a second it takes by ingestors that run
SELECT t.source, max(t.last_received_at) AS last_received_at,
       coalesce(sum(t.messages_per_second) FILTER (WHERE i.seen_at > now() - interval '1 minute'), 0)
           AS messages_per_second
FROM ingestor_source t
JOIN ingestor i ON i.name = t.ingestor
GROUP BY t.source;

-- series: what is known of series, or will be by their devices' profiles
SELECT d.external_id, w.metric, coalesce(s.unit, m.unit, '') AS unit, m.minimum, m.maximum,
       coalesce(m.unit, '') AS range_unit
FROM unnest(%(organisations)s::text[], %(external_ids)s::text[], %(metrics)s::text[])
     AS w (organisation, external_id, metric)
JOIN organisation o ON o.slug = w.organisation
JOIN device d ON d.organisation_id = o.id AND d.external_id = w.external_id
LEFT JOIN series s ON s.device_id = d.id AND s.metric = w.metric
LEFT JOIN profile_metric m ON m.profile_id = d.profile_id AND m.metric = w.metric;
