-- known: of some alerts what estimating their impact asks; those whose rule says nothing of it only where something is kept
SELECT a.id, a.organisation_id, a.device_id, coalesce(a.site_id, d.site_id) AS site_id, v.definition -> 'impact' AS impact,
       a.value, a.opened_at, coalesce(v.definition #>> '{condition,unit}', s.unit, '') AS unit,
       v.definition #>> '{condition,every}' AS every, v.condition_kind, a.series_id, d.supplies_site, d.people, d.customers,
       CASE WHEN jsonb_array_length(a.evidence -> 'readings') > 1
            THEN (a.evidence #>> '{readings,-1,observed_at}')::timestamptz
                 - (a.evidence #>> '{readings,0,observed_at}')::timestamptz END AS counted_in,
       a.impact_water, a.impact_energy, a.impact_money, a.impact_currency, a.impact_people, a.impact_customers,
       a.impact_missing
FROM alert a
JOIN rule_version v ON v.id = a.rule_version_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN series s ON s.id = a.series_id
WHERE a.id = ANY (%(ids)s::uuid[]) AND (v.definition ? 'impact' OR a.impact_missing <> '{}'
      OR num_nonnulls(a.impact_water, a.impact_energy, a.impact_money, a.impact_people, a.impact_customers) > 0);

-- usual: of series of some devices, the median of the readings at this time of day in the two weeks before
-- A quarter of an hour to either side; three days at least, else one odd day would be the usual.
SELECT w.id, w.metric, s.unit, usual.value
FROM unnest(%(ids)s::uuid[], %(devices)s::integer[], %(series)s::integer[], %(metrics)s::text[], %(times)s::timestamptz[])
     AS w (id, device_id, series_id, metric, opened_at)
JOIN series s ON CASE WHEN w.metric = '' THEN s.id = w.series_id ELSE s.device_id = w.device_id AND s.metric = w.metric END
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r.value) AS value
    FROM generate_series(1, 14) AS day (number)
    CROSS JOIN LATERAL (
        SELECT avg(x.value) AS value
        FROM reading x
        WHERE x.series_id = s.id AND x.quality & 4 = 0
          AND x.observed_at >= w.opened_at - make_interval(hours => 24 * day.number, mins => 15)
          AND x.observed_at < w.opened_at - make_interval(hours => 24 * day.number) + interval '15 minutes'
    ) r
    HAVING count(r.value) >= 3
) usual
WHERE s.kind = 'gauge';

-- sites: of some organisations, with what was said of tariffs and dependants at each
SELECT s.id, s.parent_id, s.water_tariff, s.energy_tariff, s.people, s.customers, d.people AS own_people,
       d.customers AS own_customers, d.supplied_people, d.supplied_customers
FROM site s
LEFT JOIN (
    SELECT d.site_id, sum(d.people) FILTER (WHERE NOT d.supplies_site) AS people,
           sum(d.customers) FILTER (WHERE NOT d.supplies_site) AS customers,
           max(d.people) FILTER (WHERE d.supplies_site) AS supplied_people,
           max(d.customers) FILTER (WHERE d.supplies_site) AS supplied_customers
    FROM device d
    WHERE (d.people IS NOT NULL OR d.customers IS NOT NULL) AND d.status NOT IN ('retired', 'refused')
    GROUP BY d.site_id
) d ON d.site_id = s.id
WHERE s.organisation_id = ANY (%(organisations)s::integer[]);

-- tariffs: of some organisations
SELECT o.id, o.currency, o.water_tariff, o.energy_tariff FROM organisation o
WHERE o.id = ANY (%(organisations)s::integer[]);

-- save: what some alerts are about from now on
UPDATE alert a
SET impact_water = w.water, impact_energy = w.energy, impact_money = w.money, impact_currency = w.currency,
    impact_people = w.people, impact_customers = w.customers,
    impact_missing = CASE WHEN w.missing = '' THEN '{}' ELSE string_to_array(w.missing, E'\x1f') END,
    updated_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(water)s::double precision[], %(energy)s::double precision[],
            %(money)s::double precision[], %(currency)s::text[], %(people)s::integer[], %(customers)s::integer[],
            %(missing)s::text[]) AS w (id, water, energy, money, currency, people, customers, missing)
WHERE a.id = w.id;

-- say: put it into the messages of alerts that nobody was sent yet and that do not say it
UPDATE outbox o
SET message = jsonb_set(jsonb_set(o.message, '{text}', to_jsonb(o.message ->> 'text' || ' Impact: ' || w.said || '.')),
                        '{alert,impact}', w.impact::jsonb)
FROM unnest(%(ids)s::uuid[], %(said)s::text[], %(impacts)s::text[]) AS w (id, said, impact)
WHERE o.alert_id = w.id AND o.state = 'pending' AND o.attempts = 0 AND o.composed IS NULL
  AND o.created_at = %(now)s AND NOT o.message #> '{alert}' ? 'impact' AND o.message ->> 'kind' IN ('firing', 'raised', 'corrected');

-- open_of: alerts that hold and whose rule says how to estimate their impact, of an organisation
SELECT a.id FROM alert a JOIN rule_version v ON v.id = a.rule_version_id
WHERE a.organisation_id = %(organisation_id)s AND a.state IN ('pending', 'firing') AND v.definition ? 'impact';
