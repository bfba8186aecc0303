-- figures: how often a rule's alerts fired within a stretch, how long they lasted, and what people did with them
SELECT count(*)::integer AS alerts,
       count(*) FILTER (WHERE a.state = 'firing')::integer AS still_firing,
       count(*) FILTER (WHERE a.late)::integer AS late,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.resolved_at - a.opened_at))
           FILTER (WHERE a.state = 'resolved') AS median_seconds,
       max(extract(epoch FROM a.resolved_at - a.opened_at)) FILTER (WHERE a.state = 'resolved')::double precision AS longest_seconds,
       count(a.acknowledged_at)::integer AS acknowledged,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(extract(epoch FROM a.acknowledged_at - a.recorded_at), 0))
           FILTER (WHERE a.acknowledged_at IS NOT NULL) AS median_seconds_to_acknowledge,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.resolved_at - a.fired_at))
           FILTER (WHERE a.state = 'resolved') AS median_seconds_to_resolve,
       count(a.resolution)::integer AS resolved_by_hand,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(extract(epoch FROM a.resolved_by_hand_at - a.recorded_at), 0))
           FILTER (WHERE a.resolution IS NOT NULL) AS median_seconds_to_resolve_by_hand,
       count(*) FILTER (WHERE a.resolution = 'false_alarm')::integer AS false_alarms,
       count(*) FILTER (WHERE a.raises <> '[]')::integer AS raised,
       count(*) FILTER (WHERE extract(hour FROM a.fired_at AT TIME ZONE %(zone)s) >= 22
                           OR extract(hour FROM a.fired_at AT TIME ZONE %(zone)s) < 6)::integer AS at_night,
       count(DISTINCT coalesce(a.device_id, -a.site_id))::integer AS places
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
WHERE r.slug = %(rule)s AND a.state IN ('firing', 'resolved') AND a.fired_at >= %(since)s AND a.fired_at < %(until)s
  AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s);

-- resolutions: the verdicts that people gave on them, by reason
SELECT a.resolution, count(*)::integer AS alerts
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
WHERE r.slug = %(rule)s AND a.state IN ('firing', 'resolved') AND a.fired_at >= %(since)s AND a.fired_at < %(until)s
  AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s) AND a.resolution IS NOT NULL
GROUP BY a.resolution
ORDER BY count(*) DESC, a.resolution;

-- retracted: those that late data showed never to have been
SELECT count(*)::integer AS retracted
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
WHERE r.slug = %(rule)s AND a.state = 'retracted' AND a.superseded_by IS NULL AND a.fired_at >= %(since)s AND a.fired_at < %(until)s
  AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s);

-- places: where most of them were: a device, or a whole site
SELECT o.slug AS organisation, d.external_id AS device, a.device_id, coalesce(d.name, s.name) AS name, s.slug AS site,
       count(*)::integer AS alerts, count(*) FILTER (WHERE a.resolution = 'false_alarm')::integer AS false_alarms
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
JOIN organisation o ON o.id = a.organisation_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN site s ON s.id = coalesce(a.site_id, d.site_id)
WHERE r.slug = %(rule)s AND a.state IN ('firing', 'resolved') AND a.fired_at >= %(since)s AND a.fired_at < %(until)s
  AND (%(scope)s::integer IS NULL OR a.organisation_id = %(scope)s)
GROUP BY o.slug, d.external_id, a.device_id, coalesce(d.name, s.name), s.slug
ORDER BY count(*) DESC, o.slug, d.external_id
LIMIT %(limit)s;
