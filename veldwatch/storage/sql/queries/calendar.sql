-- organisation: one that the asker may see
SELECT id FROM organisation
WHERE slug = %(organisation)s AND (%(scope)s::integer IS NULL OR id = %(scope)s);

-- sites: of an organisation, with what names each
SELECT id, slug, name FROM site WHERE organisation_id = %(organisation_id)s;

-- devices: those named of an organisation
SELECT id, external_id FROM device
WHERE organisation_id = %(organisation_id)s AND external_id = ANY (%(names)s::text[]);

-- ensure_calendar: a calendar by its name
INSERT INTO calendar (organisation_id, slug, kind, imported_at, imported_by)
VALUES (%(organisation_id)s, %(slug)s, %(kind)s, %(now)s, %(author)s)
ON CONFLICT (organisation_id, slug) DO UPDATE
SET kind = EXCLUDED.kind, imported_at = EXCLUDED.imported_at, imported_by = EXCLUDED.imported_by
RETURNING id;

-- events: of a calendar as they were published last
SELECT uid, sequence, stamped_at, content, site_ids, device_ids FROM calendar_event WHERE calendar_id = %(calendar_id)s;

-- save_event: an event as it is published now
INSERT INTO calendar_event (calendar_id, uid, sequence, stamped_at, content, site_ids, device_ids, spread_until)
VALUES (%(calendar_id)s, %(uid)s, %(sequence)s, %(stamped_at)s, %(content)s, %(site_ids)s::integer[],
        %(device_ids)s::integer[], %(spread_until)s)
ON CONFLICT (calendar_id, uid) DO UPDATE
SET sequence = EXCLUDED.sequence, stamped_at = EXCLUDED.stamped_at, content = EXCLUDED.content,
    site_ids = EXCLUDED.site_ids, device_ids = EXCLUDED.device_ids, spread_until = EXCLUDED.spread_until;

-- to_spread: events whose repetitions are stored only up to a time, with their calendar
SELECT e.calendar_id, c.organisation_id, c.kind, c.imported_by, e.uid, e.content, e.site_ids, e.device_ids
FROM calendar_event e JOIN calendar c ON c.id = e.calendar_id
WHERE e.spread_until < %(until)s;

-- spread: note up to when an event's repetitions are stored
UPDATE calendar_event SET spread_until = %(until)s WHERE calendar_id = %(calendar_id)s AND uid = %(uid)s;

-- standing: interruptions of an event that are not cancelled
SELECT id, occurrence, begins_at, ends_at FROM interruption
WHERE calendar_id = %(calendar_id)s AND uid = %(uid)s AND cancelled_at IS NULL;

-- save: one occurrence of an event; what is as it was is not given
INSERT INTO interruption (organisation_id, kind, begins_at, ends_at, title, reason, calendar_id, uid, occurrence, author,
                          created_at)
VALUES (%(organisation_id)s, %(kind)s, %(begins_at)s, %(ends_at)s, %(title)s, %(reason)s, %(calendar_id)s, %(uid)s,
        %(occurrence)s, %(author)s, %(now)s)
ON CONFLICT (calendar_id, uid, occurrence) DO UPDATE
SET kind = EXCLUDED.kind, begins_at = EXCLUDED.begins_at, ends_at = EXCLUDED.ends_at, title = EXCLUDED.title,
    reason = EXCLUDED.reason, cancelled_at = NULL
WHERE (interruption.kind, interruption.begins_at, interruption.ends_at, interruption.title, interruption.reason)
      IS DISTINCT FROM (EXCLUDED.kind, EXCLUDED.begins_at, EXCLUDED.ends_at, EXCLUDED.title, EXCLUDED.reason)
   OR interruption.cancelled_at IS NOT NULL
RETURNING id;

-- find: an occurrence that stands as it was
SELECT id FROM interruption WHERE calendar_id = %(calendar_id)s AND uid = %(uid)s AND occurrence = %(occurrence)s;

-- clear_places: before an interruption is put elsewhere
DELETE FROM interruption_place
WHERE interruption_id = %(id)s
  AND ((site_id IS NOT NULL AND site_id <> ALL (%(site_ids)s::integer[]))
       OR (device_id IS NOT NULL AND device_id <> ALL (%(device_ids)s::integer[])));

-- put: where an interruption is
INSERT INTO interruption_place (interruption_id, site_id, device_id)
SELECT %(id)s::bigint, s.id, NULL::integer FROM unnest(%(site_ids)s::integer[]) AS s (id)
UNION ALL
SELECT %(id)s::bigint, NULL, d.id FROM unnest(%(device_ids)s::integer[]) AS d (id)
ON CONFLICT DO NOTHING;

-- cancel: interruptions that are off, if the asker may change them
UPDATE interruption SET cancelled_at = %(now)s
WHERE id = ANY (%(ids)s::bigint[]) AND cancelled_at IS NULL
  AND (%(scope)s::integer IS NULL OR organisation_id = %(scope)s)
RETURNING id;

-- cancel_coming: what an organisation's calendar planned and did not name any more
UPDATE interruption SET cancelled_at = %(now)s
WHERE calendar_id = %(calendar_id)s AND cancelled_at IS NULL AND begins_at > %(now)s AND uid <> ALL (%(uids)s::text[])
RETURNING id;

-- add: one that somebody enters
INSERT INTO interruption (organisation_id, kind, begins_at, ends_at, title, reason, author, created_at)
VALUES (%(organisation_id)s, %(kind)s, %(begins_at)s, %(ends_at)s, %(title)s, %(reason)s, %(author)s, %(now)s)
RETURNING id;

-- change: when one is that somebody entered, and what it is; who said so last
UPDATE interruption
SET kind = %(kind)s, begins_at = %(begins_at)s, ends_at = %(ends_at)s, title = %(title)s, reason = %(reason)s,
    author = %(author)s
WHERE id = %(id)s;

-- list: interruptions that touch a stretch, by their begin, with how many alerts each explains
SELECT i.id, o.slug AS organisation, i.kind, i.begins_at, i.ends_at, i.title, i.reason, c.slug AS calendar, i.uid, i.author,
       i.cancelled_at,
       ARRAY(SELECT s.slug FROM interruption_place p JOIN site s ON s.id = p.site_id
             WHERE p.interruption_id = i.id ORDER BY s.slug) AS sites,
       ARRAY(SELECT d.external_id FROM interruption_place p JOIN device d ON d.id = p.device_id
             WHERE p.interruption_id = i.id ORDER BY d.external_id) AS devices,
       (SELECT count(*) FROM alert a WHERE a.explained_by_interruption = i.id) AS explains
FROM interruption i
JOIN organisation o ON o.id = i.organisation_id
LEFT JOIN calendar c ON c.id = i.calendar_id
WHERE (%(scope)s::integer IS NULL OR i.organisation_id = %(scope)s)
  AND (%(organisation)s::text IS NULL OR o.slug = %(organisation)s)
  AND (%(id)s::bigint IS NULL OR i.id = %(id)s)
  AND i.ends_at > coalesce(%(since)s::timestamptz, '-infinity') AND i.begins_at < coalesce(%(until)s::timestamptz, 'infinity')
  AND (%(cancelled)s OR i.cancelled_at IS NULL)
  AND (%(after)s::timestamptz IS NULL OR (i.begins_at, i.id) > (%(after)s::timestamptz, %(after_id)s::bigint))
ORDER BY i.begins_at, i.id
LIMIT %(limit)s;

-- calendars: those that the asker may see
SELECT c.id, o.slug AS organisation, c.slug, c.kind, c.imported_at, c.imported_by,
       (SELECT count(*) FROM interruption i
        WHERE i.calendar_id = c.id AND i.cancelled_at IS NULL AND i.ends_at > %(now)s) AS coming
FROM calendar c JOIN organisation o ON o.id = c.organisation_id
WHERE %(scope)s::integer IS NULL OR c.organisation_id = %(scope)s
ORDER BY o.slug, c.slug;
